"""What is told of each thing that happens to a rollout: the words of the notifications, in one place."""

from collections.abc import Callable, Iterable

from ops.checks.report import Report
from ops.deployment import Deployment
from ops.errors import OperationError
from ops.rollout.gates.gate import Verdict
from ops.rollout.history import Verb

_MOST_CHECKS = 5


def step(deployment: Deployment, before: int, to: int, why: str, watched: float = 0) -> None:
    """Send that a step was made; nobody is waited for."""
    what = f"{before} -> {to} % of users go through LiteLLM" + (f"; watched for {watched:.0f} s" if watched else "")
    facts = {"from_percent": before, "to_percent": to, "why": why, "next": _status(deployment)}
    deployment.notifier.send("step", result="done", what=what, **facts)


def step_failed(deployment: Deployment, before: int, to: int, error: OperationError) -> None:
    """Send that an update to another percentage failed, which may have changed something."""
    what = f"the update from {before} to {to} % failed"
    facts = {"from_percent": before, "to_percent": to, "why": error.message, "next": error.fix}
    deployment.notifier.send("step", result="failed", what=what, **facts)


def held(deployment: Deployment, before: int, to: int, verdicts: Iterable[Verdict]) -> None:
    """Tell that the gates do not let a step be made."""
    why = "; ".join(_in_words(each) for each in verdicts)
    _hold(deployment, before, to, why, f"./fridayctl promote {deployment.name} --dry-run shows every gate")


def refused(deployment: Deployment, before: int, to: int, error: OperationError) -> None:
    """Tell that the operator's own hook does not let a step be made."""
    _hold(deployment, before, to, error.message, error.fix)


def _hold(deployment: Deployment, before: int, to: int, why: str, then: str) -> None:
    what = f"stays at {before} % and does not go to {to} %"
    deployment.notifier.tell(
        "hold", result="done", what=what, from_percent=before, to_percent=before, why=why, next=then
    )


def aborted(deployment: Deployment, undone: int, to: int, why: str) -> None:
    """Send that a step was taken back."""
    what = f"the step to {undone} % was taken back: {to} % of users go through LiteLLM"
    facts = {"from_percent": undone, "to_percent": to, "why": why, "next": _status(deployment)}
    deployment.notifier.send("abort", result="done", what=what, **facts)


def abort_failed(deployment: Deployment, undone: int, to: int, why: str, error: OperationError) -> None:
    """Send that a step could not be taken back as a whole."""
    what = f"the step to {undone} % could not be taken back as a whole"
    facts = {"from_percent": undone, "to_percent": to, "why": f"{why}; then: {error.message}", "next": error.fix}
    deployment.notifier.send("abort", result="failed", what=what, **facts)


def paused(deployment: Deployment, verb: Verb, percentage: int, reason: str) -> None:
    """Tell that a rollout is paused, or that it goes on."""
    name = deployment.name
    what, then = f"the rollout is paused at {percentage} %", f"./fridayctl resume {name}"
    if verb is Verb.RESUME:
        what, then = f"the rollout may go on from {percentage} %", f"./fridayctl promote {name}"
    facts = {"from_percent": percentage, "to_percent": percentage, "why": reason, "next": then}
    deployment.notifier.tell("pause", result="done", what=what, **facts)


def checked(deployment: Deployment, command: str, look: Callable[[], Report], *, unattended: bool) -> Report:
    """Return what `preflight` or `verify` finds, with its errors; when nobody reads along, tell of failures."""
    try:
        report = look()
    except OperationError as error:
        if unattended:
            _check(deployment, f"{command} could not be made", error.message, error.fix)
        raise
    if unattended and not report.ok:
        words = [" ".join(text for text in (each.host, each.part, each.name) if text) for each in report.failed]
        more = f" and {len(words) - _MOST_CHECKS} more" if len(words) > _MOST_CHECKS else ""
        many = f"{len(words)} of {len(report.checks)} checks failed"
        why = next((each.found or each.details for each in report.failed), "")
        what = f"{command}: {many}: {', '.join(words[:_MOST_CHECKS])}{more}"
        _check(deployment, what, why, f"./fridayctl {command} {deployment.name}")
    return report


def _check(deployment: Deployment, what: str, why: str, then: str) -> None:
    deployment.notifier.tell("check", result="failed", what=what, why=why, next=then)


def _status(deployment: Deployment) -> str:
    return f"./fridayctl status {deployment.name}"


def _in_words(verdict: Verdict) -> str:
    said = ", ".join(text for text in (verdict.value, verdict.threshold, verdict.cause) if text)
    return f"{verdict.gate} {verdict.outcome}: {said}"
