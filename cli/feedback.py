"""`fridayctl feedback`: what users say of answers, by the path that these took."""

import datetime as dt
from typing import TYPE_CHECKING

import click

from cli.arguments import (
    age,
    json_option,
    line,
    one_line,
    opened,
    print_json,
    report_aside,
    reporter,
    stack_argument,
    wait_option,
)
from cli.tables import show_table
from ops.rollout.feedback import MOST, PATHS, RATINGS
from ops.rollout.steps import in_words

if TYPE_CHECKING:
    from ops.commands.feedback import Summary
    from ops.rollout.gates.complaints import Heard

EPILOG = """\b
Examples:
  ./fridayctl feedback prod            what users said, by path
  ./fridayctl feedback prod --json
  ./fridayctl feedback prod --rating complaint --path litellm --note "#4711"
  ./fridayctl feedback prod --rating down --path direct --count 3

Without --rating it shows the ratings of the present step: those that Friday
counted and those that were entered, per 1,000 answers. With `compareTesters`
it shows the answers of testers side by side, too. With --rating it enters
what reached you by mail or phone. That becomes an entry of the history, which
changes nothing that runs. `promote` judges both together (gate complaints).
A note is for people: put no personal data into it.

\b
Exit codes:
  0  shown, or entered
  1  the update failed
  2  wrong input, not deployed, or the stack file is not deployed yet
     (nothing was changed)
"""


@click.command("feedback", epilog=EPILOG)
@stack_argument
@click.option("--rating", type=click.Choice(RATINGS), help="What users said.")
@click.option("--path", type=click.Choice(PATHS), help="The path that their answers took.")
@click.option("--count", type=click.IntRange(1, MOST), help="How many said so (default: 1).")
@click.option("--note", default="", help="A word of your own; kept in the history.")
@wait_option
@json_option
def feedback_command(
    stack: str, rating: str | None, path: str | None, count: int | None, note: str, wait_seconds: int, as_json: bool
) -> None:
    """Show what users say of answers by path, or enter it.

    STACK is local by default.
    """
    if rating and path:
        _enter(stack, rating, path, count or 1, one_line(note), wait_seconds, as_json)
    elif rating or path or count or note or wait_seconds:
        raise click.UsageError("to enter feedback, say both: --rating and --path")
    else:
        _show(stack, as_json)


def _enter(stack: str, rating: str, path: str, count: int, note: str, wait_seconds: int, as_json: bool) -> None:
    from ops.commands.feedback import Ratings, enter  # noqa: PLC0415 - Pulumi loads only when needed
    from ops.commands.when_free import when_free  # noqa: PLC0415

    deployment = opened(stack, reporter(as_json))
    message = when_free(deployment, lambda: enter(deployment, Ratings(path, rating, count, note)), wait_seconds)
    if as_json:
        print_json({"stack": stack, "message": message})
    else:
        line("done", message)


def _show(stack: str, as_json: bool) -> None:
    from ops.commands.feedback import look  # noqa: PLC0415 - Docker's library loads only when needed

    summary = look(opened(stack, report_aside))
    if as_json:
        print_json(summary.document())
        return
    past = in_words(dt.timedelta(seconds=summary.found.seconds))
    click.echo(f"{stack}: what users said since {summary.since:%Y-%m-%d %H:%M} UTC ({past})")
    if summary.found.silent:
        click.echo(
            f"warning: only what was entered by hand: {summary.found.silent}; docs/YOUR_FRIDAY.md, What users say"
        )
    rows = [_row(summary, path, heard) for path, heard in summary.found.paths.items()]
    show_table(("path", "answers", "up", "down", "complaints", "bad per 1,000 answers"), rows)
    if gap := summary.gap:
        sure = f"{summary.confidence * 100:g} % sure"
        click.echo(
            "difference    LiteLLM's users (fallbacks too) against the direct path's: "
            f"{gap[0] * 1000:+.3g} to {gap[1] * 1000:+.3g} per 1,000 ({sure})"
        )
    now = dt.datetime.now(dt.UTC)
    for each in summary.found.entered:
        said = f"{each.count} {each.rating} on {each.path}" + (f": {each.note}" if each.note else "")
        click.echo(f"{'entered':<14}{said} ({age(now - each.at)} ago)")
    _show_quality(summary)


def _row(summary: "Summary", path: str, heard: "Heard") -> tuple[str, ...]:
    bounds = summary.bounds(heard.calls) if heard.answers else None
    share = f"{heard.calls.rate * 1000:.3g} ({bounds[0] * 1000:.3g} to {bounds[1] * 1000:.3g})" if bounds else "--"
    answers = "not measured" if heard.answers is None else f"{heard.answers:,}"
    return path, answers, f"{heard.up:,}", f"{heard.down:,}", f"{heard.complaint:,}", share


def _show_quality(summary: "Summary") -> None:
    if not summary.found.quality:
        return
    click.echo("\ntesters' answers side by side (compareTesters)")
    rows = []
    for each in summary.found.quality:
        passed = [
            f"{100 * (1 - calls.rate):.3g} % of {calls.total:,}" if calls.total else "--"
            for calls in each.checks.values()
        ]
        chars = [f"{each.lengths.quantile(share):,.0f}" for share in (0.5, 0.95)]
        rows.append((each.path, f"{each.answers:,}", *chars, *passed))
    checks = next(iter(summary.found.quality)).checks
    show_table(("path", "answers", "p50 chars", "p95 chars", *checks), rows)
    for check, (low, high) in summary.quality_gaps.items():
        click.echo(f"{check:<14}{low * 100:+.3g} to {high * 100:+.3g} points more fail it over LiteLLM than directly")
