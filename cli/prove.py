"""`fridayctl prove`: tries what is promised on stacks of its own, and writes one page of what came of it."""

import signal
from typing import TYPE_CHECKING

import click

from cli.arguments import json_option, reporter
from cli.output import SCREEN, output_option, write_out
from ops.errors import EXIT_FAILED, EXIT_INTERRUPTED, OperationError
from proof.selection import GROUPS
from testing.record import Group

if TYPE_CHECKING:
    from proof.model import Proof

EPILOG = """\b
Examples:
  ./fridayctl prove --quick          proof-<date>.html, here
  ./fridayctl prove                  what takes many minutes too
  ./fridayctl prove --only locks --only rollback
  ./fridayctl prove --quick --json       the data, on standard output

What is missing is set up first. Stacks have names and ports of their own and a
simulated OpenRouter, and are removed: yours are not touched. Ctrl-C removes
them too, and the page then says what was found until then.

\b
Exit codes:
  0    all that was tried passed
  1    something failed, or nothing could be tried
  2    a wrong option, a missing tool, a file that cannot be written
  130  interrupted
"""


@click.command("prove", epilog=EPILOG)
@click.option("--quick", is_flag=True, help="Leave out what takes many minutes.")
@click.option("--only", multiple=True, type=click.Choice(GROUPS), help="Try this alone; may be given more than once.")
@output_option
@json_option
def prove_command(quick: bool, only: tuple[Group, ...], output: str | None, as_json: bool) -> int:
    """Try what is promised, and write a page of what came of it.

    The locks that keep the cost at $0.00, faults, a changed percentage under load, a rollback.
    """
    from images import ImageError  # noqa: PLC0415
    from ops.commands.setup import ensure  # noqa: PLC0415 - only when something is tried
    from proof.model import Level  # noqa: PLC0415
    from proof.run import Request, prove  # noqa: PLC0415

    # Told to end, it still removes its stacks. What a script runs in the background is deaf to Ctrl-C, and so would
    # be pytest: it would be killed instead of taking its stacks down.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.default_int_handler)
    groups = tuple(group for group in GROUPS if group in only or not only)
    chosen = [f"--only {group}" for group in groups] if only else []
    command = " ".join(["./fridayctl prove", *(["--quick"] if quick else []), *chosen])
    report = reporter(as_json=(as_json and not output) or output == SCREEN)
    ensure()
    try:
        proof = prove(Request(groups, quick, command), report)
    except ImageError as error:
        raise OperationError(f"prove: {error}", "./fridayctl setup; then the same command again") from error
    text = proof.model_dump_json(indent=2) if as_json else _page(proof)
    file = write_out(text, output, None if as_json else f"proof-{proof.began:%Y-%m-%d}.html")
    for label, text in (*proof.summary, *([("page", str(file))] if file else ())):
        report(label, text)
    if proof.level is Level.INTERRUPTED:
        return EXIT_INTERRUPTED
    return 0 if proof.level is Level.PASSED else EXIT_FAILED


def _page(proof: "Proof") -> str:
    from proof.page import render  # noqa: PLC0415 - the report's page draws with a large library

    return render(proof)
