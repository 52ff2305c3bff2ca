"""How the gates are shown: a table, then for each one that does not pass the cause and the next command."""

from datetime import timedelta

import click

from cli.tables import show, table_of
from ops.rollout.gates.gate import AnalysisResult, Outcome
from ops.rollout.steps import in_words

_COLOURS = {Outcome.PASS: "green", Outcome.FAIL: "red", Outcome.INCONCLUSIVE: "yellow", Outcome.SKIPPED: "dim"}


def show_gates(judgement: AnalysisResult, *, causes: bool = True, err: bool = False) -> None:
    """Print a judgement, with or without the causes; `err` keeps standard output free for JSON."""
    table = table_of("gate", "", "measured", "wanted", "calls", "over")
    for each in judgement.verdicts:
        table.add_row(
            each.gate,
            f"[{_COLOURS[each.outcome]}]{each.outcome}[/]",
            each.value or each.cause,
            each.threshold,
            "" if each.samples is None else f"{each.samples:,}",
            "" if each.seconds is None else in_words(timedelta(seconds=each.seconds)),
        )
    show(table, err=err)
    for each in judgement.verdicts if causes else ():
        if each.outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE):
            click.echo(f"{each.gate}: {each.metric}: {each.value or 'not measured'}; wanted: {each.threshold}", err=err)
            click.echo(f"  likely: {each.cause}", err=err)
            click.echo(f"  next:   {each.fix}", err=err)
