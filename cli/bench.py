"""`fridayctl bench`: measures what the project promises, on a stack of its own."""

import signal
from pathlib import Path

import click

from benchmarks.registry import MEASUREMENTS
from cli.arguments import json_option, print_json, reporter
from ops.errors import OperationError

EPILOG = """\b
Examples:
  ./fridayctl bench                             everything, an hour
  ./fridayctl bench rollout memory              these two only
  ./fridayctl bench beside_stock --rounds 1     a first look, not five rounds
  ./fridayctl bench idle_host --beside ../old   another checkout too
  ./fridayctl bench --json > figures.json

docs/BENCHMARKS.md explains each figure.

\b
Exit codes:
  0  every target is reached
  1  a target is missed, or a measurement failed
  2  an unknown name
"""


def _checkouts(_: click.Context, __: click.Parameter, folders: tuple[Path, ...]) -> tuple[Path, ...]:
    for folder in folders:
        if not ((folder / "gateway/serve.py").is_file() and (folder / ".venv/bin/python").exists()):
            raise click.BadParameter(f"should be a checkout in which ./fridayctl setup has run (got {folder})")
    found = tuple(folder.resolve() for folder in folders)
    if len({folder.name for folder in found} - {"ours", "stock"}) < len(found):
        raise click.BadParameter("should be folders of different names, none of them ours or stock: figures carry them")
    return found


@click.command("bench", epilog=EPILOG)
@click.argument("names", nargs=-1, metavar=f"[{'|'.join(MEASUREMENTS)}]...", type=click.Choice(list(MEASUREMENTS)))
@click.option("--rounds", type=click.IntRange(1, 100), default=5, show_default=True, help="Rounds of what is compared.")
@click.option(
    "--beside",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    callback=_checkouts,
    help="Another checkout of this project, to compare with; may be given more than once.",
)
@json_option
def bench_command(names: tuple[str, ...], rounds: int, beside: tuple[Path, ...], as_json: bool) -> int:
    """Measure speed, rollout and memory on a stack of its own.

    The stack is removed afterwards.
    """
    from benchmarks import figures, suite  # noqa: PLC0415 - only when something is measured
    from benchmarks.test_stack import Comparison  # noqa: PLC0415

    # Told to end, it still removes its stack.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    tell = reporter(as_json)
    try:
        report = suite.run(names, tell, Comparison(rounds, beside))
    except (AssertionError, RuntimeError) as error:
        fix = "read the output above; a busy machine is a poor place to measure"
        raise OperationError("bench: a measurement could not be made", fix, details=str(error)) from error
    if as_json:
        print_json(report.document())
    else:
        click.echo(f"\n{report.begun}, {report.cpus} processors, load {report.load_before} before the run\n")
        click.echo(figures.table(report.figures))
    return 0 if report.ok else 1
