"""`fridayctl status`: where the rollout stands and what runs."""

from typing import TYPE_CHECKING

import click

from cli.arguments import json_option, opened, print_json, report_aside, stack_argument
from cli.history import show_history
from cli.tables import shortened, show_gates, show_table

if TYPE_CHECKING:
    from ops.commands.status import Status

EPILOG = """\b
Examples:
  ./fridayctl status                    rollout position, gates, containers
  ./fridayctl status local --json
  ./fridayctl promote local --dry-run   what each gate needs to pass

\b
Exit codes:
  0  everything runs and is healthy (the gates do not count)
  1  something is not healthy, or an edge leaves a healthy replica out
"""


@click.command("status", epilog=EPILOG)
@stack_argument
@json_option
def status_command(stack: str, as_json: bool) -> int:
    """Show the rollout position, the gates and each container.

    STACK is local by default. The last updates are listed too.
    """
    from ops.commands.status import look  # noqa: PLC0415 - Pulumi's libraries load only when needed

    status = look(opened(stack, report_aside))
    if as_json:
        print_json(status.document())
    else:
        _print(status)
    return 0 if status.healthy else 1


def _print(status: "Status") -> None:
    click.echo(f"{status.stack}: {status.headline}")
    if status.rollout:
        click.echo(status.rollout)
    for line in status.noted:
        click.echo(line)
    rows = []
    for each in status.instances:
        name = each.name.removeprefix(f"friday-{status.stack}-")
        health = each.health if each.state == "running" else each.state
        rows.append((name, health, _age(each.age_seconds), shortened(each.image)))
    if rows:
        show_table(("container", "health", "up for", "image"), rows)
    if status.gates:
        show_gates(status.gates, causes=False)
    if status.history:
        click.echo()
        show_history(status.history)
    quota = status.forecast.words if status.forecast else ""
    own = (("quota", quota), ("certificate", status.certificate), ("migration", status.migration))
    for name, found in (*status.urls.items(), *own):
        if found:
            click.echo(f"{name:<14}{found}")
    if not status.instances:
        click.echo(f"next: ./fridayctl up {status.stack}")


def _age(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
