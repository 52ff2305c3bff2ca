"""`fridayctl dashboard`: the report as a page that stays new."""

import contextlib
import os
import sys
import webbrowser

import click

from cli.arguments import line, opened, report_aside, stack_argument

EPILOG = """\b
Examples:
  ./fridayctl dashboard                  the stack local, in your browser
  ./fridayctl dashboard prod --open no   print the address only
  ./fridayctl dashboard prod --port 0    on any free port
  ssh -L 8780:127.0.0.1:8780 HOST        to see it from another machine

It is the page of `./fridayctl report` over the last seven days. The page asks
for new figures every ten seconds. Ctrl-C ends the command.

\b
Exit codes:
  0  ended by Ctrl-C
  2  the port is taken, or the stack cannot be read
"""


@click.command("dashboard", epilog=EPILOG)
@stack_argument
@click.option(
    "--port", default=8780, show_default=True, type=click.IntRange(0, 65535), help="Of 127.0.0.1; 0 is a free one."
)
@click.option(
    "--open",
    "to_open",
    default="yes",
    show_default=True,
    type=click.Choice(["yes", "no"]),
    help="Open the page in the browser, where this machine has a screen.",
)
def dashboard_command(stack: str, port: int, to_open: str) -> None:
    """Show the report of a stack as a page that stays new.

    STACK is local by default. Nothing is changed, and only this machine can see the page.
    """
    from ops.commands.dashboard import listening, pages, url  # noqa: PLC0415 - Pulumi loads only when needed

    with pages(opened(stack, report_aside)) as make, listening(make, port) as server:
        line("dashboard", f"{url(server)} (Ctrl-C ends it)")
        if to_open == "yes" and _has_a_screen():
            webbrowser.open(url(server))
        with contextlib.suppress(KeyboardInterrupt):  # how one stops looking
            server.serve_forever()


def _has_a_screen() -> bool:
    """Return whether a browser gets a window; without one a browser of the terminal would take the terminal."""
    return sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
