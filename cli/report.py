"""`fridayctl report`: how a stack did, as a page or as data."""

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from cli.arguments import json_option, line, opened, report_aside, since_option, stack_argument
from cli.output import output_option, write_out

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


@click.command("report", epilog=EPILOG)
@stack_argument
@since_option
@output_option
@json_option
def report_command(stack: str, since: timedelta, output: str | None, as_json: bool) -> None:
    """Show how a stack did: one page, the verdict first.

    STACK is local by default. Errors, latency, fallbacks, providers, feedback, cost, use, both paths side by side,
    gates, incidents and quota.
    """
    from ops.commands.report import Request, collect  # noqa: PLC0415 - Pulumi's libraries load only when needed

    report = collect(opened(stack, report_aside), Request(since))
    text = report.model_dump_json(indent=2) if as_json else _page(report)
    file = write_out(text, output, None if as_json else f"report-{stack}-{report.made:%Y-%m-%d}.html")
    if file:
        line("verdict", report.verdict.headline)
        line("next", report.verdict.command)
        line("report", str(file))


def _page(report: "Report") -> str:
    from ops.report.page import render  # noqa: PLC0415 - what draws is large

    return render(report)
