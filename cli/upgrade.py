"""`fridayctl upgrade`: raises a pinned version."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from cli.arguments import json_option, print_json, report_aside
from cli.tables import show_table
from ops.commands.pins import PINS

if TYPE_CHECKING:
    from ops.commands.upgrade import Status, Upgraded

EPILOG = """\b
Examples:
  ./fridayctl upgrade                       each pin, and the newest served
  ./fridayctl upgrade pulumi --dry-run      what would change; changes nothing
  ./fridayctl upgrade pulumi                raise it, lock, test
  ./fridayctl upgrade litellm --to 1.110.2  another line than today's
  ./fridayctl upgrade python                the newest packages that the
                                            requirements files allow

The files are resolved in a copy. When the tests fail, or at Ctrl-C, the
checkout is as it was, and .state/upgrade-PIN.patch has what was tried.

\b
Exit codes:
  0  raised and tested, or nothing newer is served
  1  the tests failed, or for the list: a registry did not answer
  2  not served, changes that are not committed, or packages that do not
     agree (nothing was changed)
"""


@click.command("upgrade", epilog=EPILOG)
@click.argument("pin", required=False, type=click.Choice(list(PINS)))
@click.option("--to", default="", metavar="VERSION", help="This version instead of the newest of the pinned line.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--list", "as_list", is_flag=True, help="Show each pin and the newest version served; the default.")
@json_option
def upgrade_command(pin: str | None, to: str, dry_run: bool, as_list: bool, as_json: bool) -> int:
    """Raise one pinned version, with everything that repeats it.

    The version is written wherever it stands, the locks are made again, and the tests that matter for it are run.
    Without PIN each pin is listed.
    """
    from ops.commands import upgrade  # noqa: PLC0415 - other commands must not pay for it

    if pin is None or as_list:
        if pin or to or dry_run:
            raise click.UsageError("--to and --dry-run want a PIN, and --list wants none")
        return _list(upgrade.statuses(report_aside), as_json)
    done = upgrade.upgrade(PINS[pin], to, report_aside, dry_run=dry_run)
    if as_json:
        print_json(asdict(done))
    else:
        _show(done, dry_run)
    return 0


def _list(found: "list[Status]", as_json: bool) -> int:
    if as_json:
        print_json([asdict(each) for each in found])
    else:
        rows = [(each.name, each.what, each.current, _newest(each)) for each in found]
        show_table(("pin", "what", "pinned", "newest served"), rows, markup=False)
        for each in found:
            if each.problem:
                click.echo(f"{each.name}: {each.problem}", err=True)
    return 1 if any(each.problem for each in found) else 0


def _newest(status: "Status") -> str:
    if status.problem:
        return "not known"
    if not status.newest:
        return f"./fridayctl upgrade {status.name} --dry-run resolves them"
    beyond = f" ({status.beyond} is another line: --to {status.beyond})" if status.beyond else ""
    return f"{status.newest}{beyond}"


def _show(done: "Upgraded", dry_run: bool) -> None:
    if not done.files:
        click.echo(f"{done.pin}: {done.old or 'every package'} is the newest that is served")
        return
    click.echo(f"{done.pin}: {done.old} -> {done.new}" if done.old else f"{done.pin}:")
    moved = [(each.package, each.old or "-", each.new or "-", ", ".join(each.locks)) for each in done.packages]
    if moved:
        show_table(("package", "from", "to", "locks"), moved, markup=False)
    click.echo(f"{'would change' if dry_run else 'changed'}: {', '.join(done.files)}")
    click.echo(f"images with another tag: {', '.join(done.images) or 'none'}")
    click.echo(f"users notice: {done.users}")
    click.echo(f"{'tests to pass' if dry_run else 'passed'}: {' '.join(done.checks)}")
    click.echo("by hand:")
    for each in done.by_hand:
        click.echo(f"  - {each}")
