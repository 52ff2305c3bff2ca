"""`fridayctl report`: how a stack did, as a page or as data."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.arguments import json_option, line, opened, report_aside, since_option, stack_argument
from ops.errors import unwritable

if TYPE_CHECKING:
    from ops.report.model import Report

EPILOG = """\b
Examples:
  ./fridayctl report prod               report-prod-<date>.html, here
  ./fridayctl report prod --since 24h -o day.html
  ./fridayctl report prod -o - > page.html
  ./fridayctl report prod --json | jq .verdict

The page needs no network and no account. A metric that is not known is shown
as unknown with the reason, never as 0; without Prometheus the page is made of
the history. A verdict is no failure: see `verdict.level` of --json.

\b
Exit codes:
  0  the report was made, whatever its verdict is
  2  the stack cannot be read, a wrong --since, a file that cannot be written
"""

_SCREEN = "-"


@click.command("report", epilog=EPILOG)
@stack_argument
@since_option
@click.option("-o", "--output", metavar="FILE", help="Where to write; - is standard output.")
@json_option
def report_command(stack: str, since: timedelta, output: str | None, as_json: bool) -> None:
    """Show how a stack did: one page, the verdict first.

    STACK is local by default. Errors, latency, fallbacks, providers, feedback, cost, use, both paths side by side,
    gates, incidents and quota.
    """
    from ops.commands.report import Request, collect  # noqa: PLC0415 - Pulumi's libraries load only when needed

    if output and output != _SCREEN:
        _require_folder(Path(output))
    report = collect(opened(stack, report_aside), Request(since))
    text = report.model_dump_json(indent=2) if as_json else _page(report)
    if output == _SCREEN or (as_json and output is None):
        click.echo(text)
        return
    file = Path(output or f"report-{stack}-{report.made:%Y-%m-%d}.html")
    try:
        file.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise unwritable(file.parent, error) from error
    line("verdict", report.verdict.headline)
    line("next", report.verdict.command)
    line("report", str(file))


def _page(report: "Report") -> str:
    from ops.report.page import render  # noqa: PLC0415 - what draws is large

    return render(report)


def _require_folder(file: Path) -> None:
    """Raise where a file cannot be: nobody waits for a report that has no place."""
    try:
        is_folder, has_folder = file.is_dir(), file.parent.is_dir()
    except OSError as error:
        raise unwritable(Path(), error) from error
    if is_folder:
        raise click.BadParameter(f"{file} is a folder", param_hint="--output")
    if not has_folder:
        raise click.BadParameter(
            f"the folder {file.parent} is not there: mkdir -p {file.parent}", param_hint="--output"
        )
