"""The gates on errors and on fallbacks."""

from ops.rollout.gates.evidence import Calls, Evidence, Gate
from ops.rollout.gates.proportions import difference
from ops.rollout.gates.verdict import Question, Verdict, percent
from ops.rollout.gates.verdict_builder import VerdictBuilder


def errors(evidence: Evidence, question: Question) -> Verdict:
    """Judge whether the gateway's users see more errors than the others; at 0 % whether the others do well."""
    return _compared(evidence, question) if question.current else _baseline(evidence, question)


def _baseline(evidence: Evidence, question: Question) -> Verdict:
    settings = question.gates.errors
    metric = f"failed calls, {evidence.baseline_is}"
    builder = VerdictBuilder(Gate.ERRORS, evidence, question, metric, f"at most {settings.maximum_percent:g} %")
    calls = evidence.baseline
    if calls is None:
        return builder.unanswered(part="friday")
    value, minimum = _shown(calls), question.enough(settings.minimum_samples)
    if calls.total < minimum:
        return builder.too_few(value, calls.total, minimum)
    if calls.rate * 100 > settings.maximum_percent:
        cause = "Friday fails without LiteLLM: there is no sound baseline to compare with"
        return builder.fails(value, calls.total, cause=cause, mend=f"./fridayctl logs {question.stack} friday")
    return builder.passes(value, calls.total)


def _compared(evidence: Evidence, question: Question) -> Verdict:
    settings = question.gates.errors
    limits = f"same or lower, at most {settings.maximum_percent:g} %"
    metric = f"failed calls, LiteLLM's users against the {evidence.baseline_is}"
    builder = VerdictBuilder(Gate.ERRORS, evidence, question, metric, limits)
    ours, theirs = evidence.calls, evidence.baseline
    if ours is None or theirs is None:
        return builder.unanswered(part="friday")
    value, minimum = f"{_shown(ours)} against {_shown(theirs)}", question.enough(settings.minimum_samples)
    if ours.total < minimum:
        return builder.too_few(value, ours.total, minimum)
    if ours.rate * 100 > settings.maximum_percent:
        cause = "the gateway's models fail and the fallback does not make it good"
        return builder.fails(value, ours.total, cause=cause, mend=_mend(question))
    if theirs.total < minimum:
        return builder.too_few(value, theirs.total, minimum)
    return _by_difference(builder, ours, theirs, value)


def _by_difference(builder: VerdictBuilder, ours: Calls, theirs: Calls, value: str) -> Verdict:
    """Fail when ours are surely more, pass when they are surely not much more, else wait for more calls."""
    settings = builder.question.gates.errors
    low, high = difference(ours, theirs, settings.confidence_percent / 100)
    value += f": {low * 100:+.2f} to {high * 100:+.2f} points ({settings.confidence_percent:g} % sure)"
    if low > 0:
        cause = "LiteLLM's users see more errors, and that is no accident"
        return builder.fails(value, ours.total, cause=cause, mend=_mend(builder.question))
    if high * 100 > settings.tolerance_percent:
        cause = f"it could still be more than {settings.tolerance_percent:g} points worse: too few calls to tell"
        mend = f"wait for more traffic; ./fridayctl status {builder.question.stack} shows it again"
        return builder.holds(value, ours.total, cause=cause, mend=mend)
    return builder.passes(value, ours.total)


def _mend(question: Question) -> str:
    return f"./fridayctl logs {question.stack} litellm says why; ./fridayctl rollback {question.stack} goes back"


def fallbacks(evidence: Evidence, question: Question) -> Verdict:
    """Judge how many calls of the gateway's users had to be answered over the direct path."""
    settings = question.gates.fallbacks
    metric = "calls that fell back from LiteLLM to the direct path"
    builder = VerdictBuilder(Gate.FALLBACKS, evidence, question, metric, f"at most {settings.maximum_percent:g} %")
    calls = evidence.fallbacks
    if calls is None:
        return builder.unanswered(part="friday" if evidence.has_friday else "edge")
    value, minimum = _shown(calls), question.enough(settings.minimum_samples)
    if calls.total < minimum:
        return builder.too_few(value, calls.total, minimum)
    if calls.rate * 100 > settings.maximum_percent:
        cause = "the gateway refuses (quota), is closed at the edge, or none of its models answers in time"
        mend = f"./fridayctl logs {question.stack} litellm says which; ./fridayctl rollback {question.stack} goes back"
        return builder.fails(value, calls.total, cause=cause, mend=mend)
    return builder.passes(value, calls.total)


def _shown(calls: Calls) -> str:
    return f"{percent(calls.rate)} ({calls.failed:,} of {calls.total:,})"
