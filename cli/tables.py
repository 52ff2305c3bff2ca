"""How results look: tables without a frame and with nothing cut, reports of checks, and gates."""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta

import click

from ops.checks.report import Check, Report
from ops.rollout.gates.gate import AnalysisResult, Outcome
from ops.rollout.steps import in_words

COLUMNS = 100
"""Columns that a table may take where nobody says how wide the screen is, or the screen is narrower."""

_DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]+")
_MARKS = {"ok": "ok", "warning": "warn", "failed": "FAIL", "skipped": "--"}
_DETAILS = " " * 28
_COLOURS = {Outcome.PASS: "green", Outcome.FAIL: "red", Outcome.INCONCLUSIVE: "yellow", Outcome.SKIPPED: "dim"}


def show_table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, err: bool = False, markup: bool = True, whole: str = ""
) -> None:
    """Print a table of text, with rich's markup in its cells or not; `err` keeps standard output free for JSON.

    The column `whole` is never folded: people copy what stands there.
    """
    from rich.console import Console  # noqa: PLC0415 - --help does not need it
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in head:
        table.add_column(column, overflow="fold", no_wrap=column == whole)
    for row in rows:
        table.add_row(*row)
    console = Console(stderr=err, highlight=False, markup=markup)
    console.width = max(console.width, COLUMNS)
    console.print(table)


def shortened(image: str) -> str:
    """Return an image's name with no more of its digest than people compare."""
    return _DIGEST.sub(r"\1", image)


def show_report(report: Report, *, only_failed: bool = False) -> None:
    """Print each check, grouped by host, and one line that sums up; nothing when all that is to be shown passed."""
    shown = report.failed if only_failed else report.checks
    hosts = list(dict.fromkeys(check.host for check in shown))
    for host in sorted(hosts, key=lambda host: host == ""):  # what concerns the whole stack comes last
        click.echo(host or report.stack)
        for check in (check for check in shown if check.host == host):
            click.echo("\n".join(_about_part(check) if check.part else _about_host(check)))
    if report.failed or not only_failed:
        failed, warnings = len(report.failed), len(report.warnings)
        ended = f"{failed} failed" if failed else "none failed"
        warned = f", {warnings} to look at" if warnings else ""
        click.echo(f"{report.stack}: {len(report.checks)} checks, {ended}{warned}")


def _about_host(check: Check) -> list[str]:
    more = (*check.problems, f"  fix: {check.fix}") if check.fix else ()
    found = check.found.removeprefix(f"{check.host}: ")
    return [f"  {_MARKS[check.state]:<6}{check.name:<22}{found}", *(f"{_DETAILS}{line}" for line in more)]


def _about_part(check: Check) -> list[str]:
    why = f" ({check.found})" if check.found else ""
    first = f"  {_MARKS[check.state]:<6}{check.part}: {check.name}{why}"
    return [first, *(f"{'':<8}{line}" for line in check.problems)]


def show_gates(judgement: AnalysisResult, *, causes: bool = True, err: bool = False) -> None:
    """Print a judgement, with or without the causes; `err` keeps standard output free for JSON."""
    rows = [
        (
            each.gate,
            f"[{_COLOURS[each.outcome]}]{each.outcome}[/]",
            each.value or each.cause,
            each.threshold,
            "" if each.samples is None else f"{each.samples:,}",
            "" if each.seconds is None else in_words(timedelta(seconds=each.seconds)),
        )
        for each in judgement.verdicts
    ]
    show_table(("gate", "", "measured", "wanted", "calls", "over"), rows, err=err)
    for each in judgement.verdicts if causes else ():
        # A gate that is not judged yet has a command when the next step may fail at it.
        if each.fix:
            click.echo(f"{each.gate}: {each.metric}: {each.value or 'not measured'}; wanted: {each.threshold}", err=err)
            click.echo(f"  likely: {each.cause}", err=err)
            click.echo(f"  next:   {each.fix}", err=err)
