"""The next step of a rollout: only when the gates pass, watched, and taken back by itself when they stop passing."""

import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pulumi import automation as auto

from ops.checks.preflight import run as preflight
from ops.checks.preflight.run import Examination
from ops.commands import notices, restore, rollback
from ops.commands.up import UpRequest, bring_up
from ops.deployment import Deployment
from ops.errors import EXIT_FAILED, EXIT_INCONCLUSIVE, EXIT_USAGE, CheckError, OperationError
from ops.metrics.collect import Sources, measure, sources
from ops.rollout import steps
from ops.rollout.gates.evidence import Evidence
from ops.rollout.gates.forecast import Forecast, forecast
from ops.rollout.gates.gate import AnalysisResult, GateInput, Outcome, named
from ops.rollout.gates.registry import judge
from ops.rollout.history import ENABLED, NAMESPACE, OPERATORS, PERCENTAGE, Entry, Verb, going_back
from ops.rollout.rollback_plan import DEFAULT, Restore, Step
from ops.rollout.steps import RolloutPosition, StepRequest, position_of
from ops.stacks import preview
from ops.stacks.pulumi_files import HeldError
from ops.stacks.stack_config import changes, settings_of, write_settings

_OPERATING = (f"{NAMESPACE}:rollout", f"{NAMESPACE}:gates")
EVERY = 10.0
"""Seconds between two looks at a new step: about two scrapes."""
_WORDS = ((Outcome.FAIL, "failed"), (Outcome.PASS, "pass"), (Outcome.INCONCLUSIVE, "cannot be told yet"))
EXIT_CODES = {Outcome.PASS: 0, Outcome.FAIL: EXIT_FAILED, Outcome.INCONCLUSIVE: EXIT_INCONCLUSIVE}


@dataclass(frozen=True)
class Proposal:
    """A step worked out, nothing changed yet: where from, where to, what the gates say, and what would restart."""

    deployment: Deployment
    reason: str
    examined: Examination
    sources: Sources
    standing: RolloutPosition
    evidence: Evidence
    question: GateInput
    measured_at: dt.datetime

    @property
    def to(self) -> int:
        """Return the percentage to go to."""
        return self.question.to or 0

    @property
    def judgement(self) -> AnalysisResult:
        """Return what the gates say."""
        return judge(self.evidence, self.question)

    @property
    def forecast(self) -> Forecast | None:
        """Return when today's free requests end after the step; None when too little was measured."""
        return forecast(self.evidence, self.standing.percentage, self.to, self.measured_at)

    def signed(self, name: str) -> "Proposal":
        """Return it with somebody's word that no user complained."""
        return replace(self, question=replace(self.question, signed_off_by=name))

    @property
    def words(self) -> str:
        """Return the step as messages have it."""
        return f"{self.standing.percentage} -> {self.to} %"


@dataclass
class Promotion:
    """How it ended: `promoted`, `aborted` (gone back), and the gates of the watch if there was one.

    `unhealthy` says what is not well after going back, for what spoiled a step may spoil the one before it too.
    """

    result: str
    message: str
    watch: AnalysisResult | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    unhealthy: list[str] = field(default_factory=list)


def propose(deployment: Deployment, wish: StepRequest, signed_off_by: str) -> Proposal:
    """Work the step out and judge it; `signed_off_by` says that no user complained.

    Raises OperationError with exit code 2 when there is nothing to promote, it is paused, preflight
    fails, the step is out of order or the soak is not over; a reason overrules the last two.
    """
    settings, opened = deployment.settings, deployment.open_to_change()
    entries, now = deployment.history, dt.datetime.now(dt.UTC)
    found, to = _allowed(deployment.name, wish, position_of(entries, settings.rollout, now))
    _nothing_else(opened, found.current)
    examined = preflight.examine(deployment)
    examined.report.require()
    deployment.report("step", f"{found.percentage} % for {steps.in_words(now - found.since)}; asked for {to} %")
    asked = sources(deployment, deployment.outputs())
    evidence = measure(asked, settings, entries, found.since, now)
    question = GateInput(deployment.name, found.percentage, to, settings.gates, signed_off_by)
    return Proposal(deployment, wish.reason, examined, asked, found, evidence, question, now)


def preview_of(proposal: Proposal) -> tuple[str, ...]:
    """Return in words what the step would restart; see `preview.look_ahead`."""
    deployment = proposal.deployment
    return tuple(preview.in_words(preview.look_ahead(deployment.stack, _step(proposal.to)), deployment.settings))


def hold(proposal: Proposal) -> None:
    """Tell whom it concerns that the gates do not let the step be made."""
    judged = proposal.judgement
    stopping = [*judged.having(Outcome.FAIL), *judged.having(Outcome.INCONCLUSIVE)]
    notices.held(proposal.deployment, proposal.standing.percentage, proposal.to, stopping)


def carry_out(proposal: Proposal, watch_seconds: float) -> Promotion:
    """Make the step and watch it; go back when the update fails or a watched gate does.

    Raises what `bring_up` does when that did not come as far as the update, and OperationError when going back fails
    too. The stack file then says what it said before, or what is gone back to. A hook that refuses the step raises
    OperationError before anything is changed.
    """
    deployment, before = proposal.deployment, proposal.standing.percentage
    facts = {"from_percent": before, "to_percent": proposal.to}
    try:
        deployment.hooks.before("pre-promote", what=f"{deployment.name} goes {proposal.words}", **facts)
    except OperationError as error:
        notices.refused(deployment, before, proposal.to, error)
        raise
    done = _make(proposal, watch_seconds)
    made = done.result == "promoted"
    result, what = "done" if made else "failed", f"{done.result}: {proposal.words}"
    deployment.hooks.after("post-promote", result=result, what=what, why=done.message, **facts)
    deployment.notifier.finish()
    return done


def _make(proposal: Proposal, watch_seconds: float) -> Promotion:
    """Make the step; see `carry_out`."""
    began, deployment = time.monotonic(), proposal.deployment
    message, before = _message(proposal), settings_of(deployment.stack)
    write_settings(deployment.stack, {**before, **_step(proposal.to)})
    deployment.report("settings", message)
    try:
        bring_up(deployment, UpRequest(message, examined=proposal.examined))
    except Exception as error:
        # What got as far as the history has changed something; before that it was refused.
        is_noted = any(entry.message == message for entry in deployment.read_history_again()[:1])
        if not is_noted or not isinstance(error, OperationError):
            write_settings(deployment.stack, before)
            raise
        deployment.report("failed", error.render())
        return _abort(proposal, "the update failed", None)
    question = GateInput(deployment.name, proposal.to, None, deployment.settings.gates, watching=True)
    entries = deployment.read_history_again()
    seconds = {"updated": time.monotonic() - began}
    notices.step(deployment, proposal.standing.percentage, proposal.to, message, watch_seconds)
    seen = watch(deployment, proposal.sources, entries, question, watch_seconds) if watch_seconds else None
    # What cannot be told yet is no reason to go back: the step was made on the evidence of the one before.
    if seen and seen.outcome is Outcome.FAIL:
        failed = "; ".join(f"{each.gate} {each.value}, {each.threshold}" for each in seen.having(Outcome.FAIL))
        return _abort(proposal, f"gate {failed}", seen)
    return Promotion("promoted", message, seen, {**seconds, "watched": time.monotonic() - began})


def watch(
    deployment: Deployment, asked: Sources, entries: Sequence[Entry], question: GateInput, seconds: float
) -> AnalysisResult:
    """Judge the newest entry's step again and again; return the first that fails, else the last within `seconds`."""
    end = time.monotonic() + seconds
    reported = ""
    while True:
        time.sleep(max(0.0, min(EVERY, end - time.monotonic())))
        now = dt.datetime.now(dt.UTC)
        evidence = measure(asked, deployment.settings, entries, entries[0].at, now, watching=True)
        seen = judge(evidence, question)
        words = "; ".join(f"{named(found)} {word}" for outcome, word in _WORDS if (found := seen.having(outcome)))
        if words != reported:
            reported = words
            deployment.report("watch", reported)
        if seen.outcome is Outcome.FAIL or time.monotonic() >= end:
            return seen


def _allowed(stack: str, wish: StepRequest, found: RolloutPosition | None) -> tuple[RolloutPosition, int]:
    """Return where the rollout stands and where to it may go; OperationError when it may not go anywhere now."""
    if found is None:
        raise OperationError(f"{stack} is not deployed", f"./fridayctl up {stack}", EXIT_USAGE)
    if found.paused:
        said = f"{stack} is paused since {found.paused.at:%Y-%m-%d %H:%M} UTC ({found.paused.message})"
        raise OperationError(said, f"./fridayctl resume {stack}", EXIT_USAGE)
    decided = steps.decide(found, wish)
    if isinstance(decided, steps.Objection):
        raise OperationError(f"{stack}: {decided.what}", decided.fix, EXIT_USAGE)
    return found, decided


def _nothing_else(opened: auto.Stack, current: Entry) -> None:
    """Refuse a stack file that says more than what is deployed: a step changes one thing, so that it can be judged."""
    unequal, gone = changes(current.config, settings_of(opened))
    others = {*unequal, *gone} - {PERCENTAGE, ENABLED, *_OPERATING, *OPERATORS}
    if others:
        what = f"Pulumi.{opened.name}.yaml differs from what is deployed in {', '.join(sorted(others))}"
        fix = f"./fridayctl up {opened.name} deploys that at the present percentage; then promote"
        raise OperationError(what, fix, EXIT_USAGE)


def _step(to: int) -> dict[str, str]:
    return {PERCENTAGE: str(to), ENABLED: "true"}


def _message(proposal: Proposal) -> str:
    judged = proposal.judgement
    passed, skipped = judged.having(Outcome.PASS), judged.having(Outcome.SKIPPED)
    parts = [proposal.words, f"gates passed ({named(passed)})" if skipped else "all gates passed"]
    if skipped:
        parts.append(f"skipped ({named(skipped)})")
    if proposal.question.signed_off_by and not skipped:
        parts.append(f"no complaints ({proposal.question.signed_off_by})")
    return f"{Verb.PROMOTE}: {', '.join(parts)}" + (f": {proposal.reason}" if proposal.reason else "")


def _abort(proposal: Proposal, why: str, seen: AnalysisResult | None) -> Promotion:
    """Go back to the update before: the gateway is closed at the edge first, so that nobody waits for the update."""
    began, current, deployment = time.monotonic(), proposal.standing.current, proposal.deployment
    message = f"{Verb.ABORT}: {proposal.to} -> {current.percentage} % {going_back(current)}: {why}"
    rollback.close_gateway(deployment)
    rest = {key: value for key, value in settings_of(deployment.stack).items() if key not in (PERCENTAGE, ENABLED)}
    before = {key: current.config[key] for key in (PERCENTAGE, ENABLED) if key in current.config}
    back = Restore(DEFAULT, (Step({**rest, **before}, message),), current)
    try:
        done = restore.make_last(deployment, back, began)
    except CheckError as error:
        deployment.report("unhealthy", error.render())
        notices.abort_failed(deployment, proposal.to, current.percentage, why, error)
        return Promotion("aborted", message, seen, {"updated": time.monotonic() - began}, [error.message])
    except OperationError as error:
        notices.abort_failed(deployment, proposal.to, current.percentage, why, error)
        facts = {"from_percent": proposal.to, "to_percent": current.percentage}
        what = f"going back from {proposal.to} % failed"
        deployment.hooks.after("post-promote", result="failed", what=what, why=error.message, **facts)
        deployment.notifier.finish()
        if isinstance(error, HeldError):  # which says that nothing was changed, and the step was made
            raise OperationError(error.message, error.fix, details=error.details) from error
        raise
    notices.aborted(deployment, proposal.to, current.percentage, why)
    return Promotion("aborted", message, seen, done.seconds, done.unhealthy)
