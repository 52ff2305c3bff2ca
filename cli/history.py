"""`fridayctl history`: every update of a stack, newest first."""

import datetime as dt
from collections.abc import Sequence

import click

from cli.arguments import age, json_option, opened, print_json, report_aside, stack_argument
from cli.tables import show_table
from ops.rollout.history import Entry

EPILOG = """\b
Examples:
  ./fridayctl history prod              the last 20 updates
  ./fridayctl history prod --last 500
  ./fridayctl history prod --json       with settings (no secrets) and commit

The history is Pulumi's own: every command writes its verb, its reason and its
result there.
"""


@click.command("history", epilog=EPILOG)
@stack_argument
@click.option("--last", default=20, show_default=True, type=click.IntRange(1, 10000), help="How many updates.")
@json_option
def history_command(stack: str, last: int, as_json: bool) -> None:
    """List the updates of a stack, newest first.

    For each update of STACK (default: local): age, percentage, images, what was done and why.
    """
    from ops.stacks.stacks import read_history  # noqa: PLC0415 - Pulumi's libraries load only when needed

    entries = read_history(opened(stack, report_aside).stack, last)
    if as_json:
        print_json([{**each.model_dump(), "verb": each.verb, "percentage": each.percentage} for each in entries])
    elif entries:
        show_history(entries)
    else:
        click.echo(f"{stack} has no history yet; next: ./fridayctl up {stack}")


def show_history(entries: Sequence[Entry]) -> None:
    """Print entries as a table."""
    rows, now = [], dt.datetime.now(dt.UTC)
    for each in entries:
        if each.verb and each.kind == "update":
            verb, reason = str(each.verb), each.message.partition(":")[2].strip()
        else:
            verb, reason = each.kind, each.message
        rows.append((age(now - each.at), str(each.percentage), _images(each), verb, reason, each.result))
    show_table(("age", "%", "image", "verb", "reason", "result"), rows, markup=False)


def _images(entry: "Entry") -> str:
    """Return the images that the settings named, shortened; the commit where they were built on the machine."""
    if entry.images:
        return ", ".join(f"{part} {image.rpartition('/')[2][-19:]}" for part, image in entry.images.items())
    return f"built at {entry.commit[:9]}{'+' if entry.dirty else ''}" if entry.commit else "built here"
