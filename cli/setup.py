"""`fridayctl setup`: makes this machine ready."""

import sys
from dataclasses import asdict

import click

from cli.arguments import print_json
from toolchain.errors import SetupError

EPILOG = """\b
Examples:
  ./fridayctl setup          make what is missing; a second when nothing is
  ./fridayctl setup --json   the same, with a list of the steps for a script
"""


@click.command("setup", epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print the steps as JSON on stdout; progress goes to stderr.")
def setup_command(as_json: bool) -> None:
    """Set this machine up: tools, Docker, local state, images.

    A step is skipped when it is right already. A tool is taken from this machine, else from its official release,
    else it is built from pinned modules, so this works where only package registries are reachable.
    """
    from ops.commands import setup  # noqa: PLC0415 - other commands must not pay for it

    try:
        outcomes = setup.ensure(sys.stderr if as_json else sys.stdout)
    except SetupError as error:
        if as_json:
            print_json({"error": {"what": error.what, "where": error.where, "fix": error.fix}})
        raise
    if as_json:
        print_json([asdict(outcome) for outcome in outcomes])
