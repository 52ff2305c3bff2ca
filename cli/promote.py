"""`fridayctl promote`: the next step of a rollout."""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from cli.arguments import json_option, line, one_line, opened, print_json, reporter, stack_argument, wait_option
from cli.tables import show_gates
from ops.rollout.gates import complaints
from ops.rollout.gates.gate import Outcome
from ops.rollout.steps import StepRequest

if TYPE_CHECKING:
    from ops.commands.promote import Promotion, Proposal

EPILOG = """\b
Examples:
  ./fridayctl promote prod             the next step of 0, 10, 50, 100 percent
  ./fridayctl promote prod --dry-run   what the gates say; changes nothing
  ./fridayctl promote prod --no-complaints anna --yes      for a script
  ./fridayctl promote prod --yes --wait 600   first let another update end
  ./fridayctl promote prod --to 30 --reason "quota"        out of order
  ./fridayctl promote prod --watch     watch until the soak of the step ends

The gates look back over the soak, at most to the start of the step. A gate
that fails refuses the step. A gate that cannot tell, because a source is
silent or there were too few calls, is inconclusive and refuses it too. At 0
percent nobody uses the gateway yet: only metrics, gateway, errors (of the
direct path), cost and quota are judged; latency says which of its targets the
direct path misses. Where users say enough of answers (./fridayctl feedback),
nobody has to sign. The new step is watched for rollout.watchSeconds, and
undone when a watched gate fails. hooks/pre-promote may refuse a step, and
hooks/post-promote runs after it; with --dry-run neither does.

\b
Exit codes:
  0  promoted (--dry-run: it could be)
  1  a gate failed, or hooks/pre-promote did; also: the step was undone
  2  not allowed now: paused, soak not over, out of order, wrong setting
     (nothing was changed)
  3  inconclusive (nothing was changed)
"""


@click.command("promote", epilog=EPILOG)
@stack_argument
@click.option("--to", type=click.IntRange(1, 100), help="The percentage to go to (default: the next step).")
@click.option("--reason", default="", help="Why out of order or so early; kept in the history.")
@click.option("--no-complaints", "signed_off_by", default="", metavar="NAME", help="Sign that no user has complained.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only judge and preview.")
@click.option("--watch", is_flag=True, help="Watch for the whole soak instead of rollout.watchSeconds.")
@wait_option
@json_option
def promote_command(stack: str, **given: Any) -> int:
    """Take the next rollout step, if the gates pass.

    STACK (default: local) goes to its next percentage. The step is undone when the gates stop passing.
    """
    from ops.commands.promote import propose  # noqa: PLC0415 - Pulumi's libraries load only when needed
    from ops.commands.when_free import when_free  # noqa: PLC0415

    options = _Options(**given)
    if not (options.yes or options.dry_run or sys.stdin.isatty()):
        raise click.UsageError("there is nobody to ask: say --yes, or --dry-run")
    deployment = opened(stack, reporter(options.as_json))
    wish = StepRequest(options.to, one_line(options.reason))
    name = one_line(options.signed_off_by)
    # What is proposed is judged again after waiting: the rollout may be somewhere else by then.
    return when_free(
        deployment, lambda: _carry_on(_signed(propose(deployment, wish, name), options), options), options.wait_seconds
    )


@dataclass(frozen=True)
class _Options:
    to: int | None
    reason: str
    signed_off_by: str
    yes: bool
    dry_run: bool
    watch: bool
    wait_seconds: int
    as_json: bool


def _carry_on(proposal: "Proposal", options: _Options) -> int:
    """Go from a verdict to the exit code: refuse, preview, ask, make the step."""
    from ops.commands.promote import EXIT_CODES, carry_out, hold, preview_of  # noqa: PLC0415

    judged = EXIT_CODES[proposal.judgement.outcome]
    show_gates(proposal.judgement, err=options.as_json)
    ahead = proposal.forecast
    if ahead:
        proposal.deployment.report("quota", ahead.words)
    if judged and not options.dry_run:
        _end(proposal, options.as_json, "refused")
        hold(proposal)
        return judged
    preview = preview_of(proposal)
    for sentence in preview:
        proposal.deployment.report("preview", sentence)
    if options.dry_run:
        _end(proposal, options.as_json, "dry run", preview)
        return judged
    if not options.yes:
        click.confirm(f"Promote {proposal.deployment.name}, {proposal.words}?", abort=True, err=True)
    rollout = proposal.deployment.settings.rollout
    done = carry_out(proposal, rollout.soak_hours * 3600 if options.watch else rollout.watch_seconds)
    _end(proposal, options.as_json, done.result, preview, done)
    return 0 if done.result == "promoted" else 1


def _end(
    proposal: "Proposal", as_json: bool, result: str, preview: tuple[str, ...] = (), done: "Promotion | None" = None
) -> None:
    if not as_json:
        stack = proposal.deployment.name
        line(result, f"{stack}, {proposal.words}; ./fridayctl status {stack}")
        return
    document = {
        "stack": proposal.deployment.name,
        "from": proposal.standing.percentage,
        "to": proposal.to,
        "result": result,
        "outcome": proposal.judgement.outcome,
        "gates": [each.model_dump() for each in proposal.judgement.verdicts],
        "quota": ahead.document() if (ahead := proposal.forecast) else None,
        "preview": preview,
        "message": done.message if done else "",
        "watch": [each.model_dump() for each in done.watch.verdicts] if done and done.watch else [],
        "seconds": done.seconds if done else {},
        "unhealthy": done.unhealthy if done else [],
    }
    print_json(document)


def _signed(proposal: "Proposal", options: _Options) -> "Proposal":
    """Ask for the signature when that is all that is missing."""
    held = [each.gate for each in proposal.judgement.having(Outcome.INCONCLUSIVE)]
    failed = proposal.judgement.outcome is Outcome.FAIL
    if options.yes or options.dry_run or failed or held != [complaints.NAME]:
        return proposal
    question = "Did no user complain? Your name signs that (empty: somebody did)"
    name = one_line(click.prompt(question, default="", show_default=False, err=True))
    return proposal.signed(name) if name else proposal
