"""`fridayctl down`: take a stack away."""

import time

import click

from cli.arguments import line, opened, stack_argument

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
def down_command(stack: str, yes: bool) -> None:
    """Remove everything that a stack runs.

    These are the containers, networks and volumes of STACK (default: local).
    """
    from ops.commands.deploy import take_down  # noqa: PLC0415 - Pulumi's libraries load only when needed

    if stack != "local" and not yes:
        click.confirm(f"Take {stack} down? Its users get no answer until the next up.", abort=True)
    started = time.monotonic()
    take_down(opened(stack, line))
    line("done", f"nothing of {stack} is left, in {time.monotonic() - started:.1f} s")
