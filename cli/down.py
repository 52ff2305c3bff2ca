"""`fridayctl down`: take a stack away."""

import time

import click

from cli.arguments import line, opened, stack_argument, wait_option

EPILOG = """\b
Examples:
  ./fridayctl down               the local stack
  ./fridayctl down staging --yes

\b
Images, tools and the stack's history stay: the next `up` is quick.
"""


@click.command("down", epilog=EPILOG)
@stack_argument
@click.option("-y", "--yes", is_flag=True, help="Do not ask (the local stack is never asked about).")
@wait_option
def down_command(stack: str, yes: bool, wait_seconds: int) -> None:
    """Remove everything that a stack runs.

    These are the containers, networks and volumes of STACK (default: local).
    """
    from ops.commands.deploy import take_down  # noqa: PLC0415 - Pulumi's libraries load only when needed
    from ops.commands.when_free import when_free  # noqa: PLC0415

    if stack != "local" and not yes:
        click.confirm(f"Take {stack} down? Its users get no answer until the next up.", abort=True)
    started = time.monotonic()
    deployment = opened(stack, line)
    when_free(deployment, lambda: take_down(deployment), wait_seconds)
    line("done", f"nothing of {stack} is left, in {time.monotonic() - started:.1f} s")
