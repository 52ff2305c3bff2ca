"""The gates on what has to be well: the metrics themselves, the gateway, each model, the users."""

from datetime import timedelta

from ops.rollout.gates.evidence import Evidence, Gate
from ops.rollout.gates.verdict import Question, Verdict, percent
from ops.rollout.gates.verdict_builder import VerdictBuilder
from ops.rollout.steps import in_words


def coverage(evidence: Evidence, question: Question) -> Verdict:
    """Judge whether Prometheus has seen enough of the window for the other gates to mean it."""
    minimum = question.gates.minimum_coverage_percent
    builder = VerdictBuilder(
        Gate.METRICS, evidence, question, "share of the window that Prometheus has seen", f"at least {minimum:g} %"
    )
    if evidence.coverage is None:
        return builder.unanswered(part="prometheus")
    value = percent(evidence.coverage)
    if evidence.coverage * 100 < minimum:
        cause = "Prometheus did not run, or did not reach the gateway and Friday, for part of it"
        mend = f"wait until the window is covered; ./fridayctl logs {question.stack} prometheus"
        return builder.holds(value, None, cause=cause, mend=mend)
    return builder.passes(value)


def gateway(evidence: Evidence, question: Question) -> Verdict:
    """Judge how much of the time the edge found a gateway replica that is well."""
    minimum = question.gates.gateway.minimum_up_percent
    builder = VerdictBuilder(
        Gate.GATEWAY, evidence, question, "time with a gateway replica that is well", f"at least {minimum:g} %"
    )
    if evidence.gateway_up is None:
        return builder.unanswered(part="edge")
    value = percent(evidence.gateway_up)
    if evidence.gateway_up * 100 < minimum:
        cause = "gateway replicas stopped, ran out of memory, or did not answer their health check"
        return builder.fails(value, None, cause=cause, mend=f"./fridayctl logs {question.stack} litellm")
    return builder.passes(value)


def providers(evidence: Evidence, question: Question) -> Verdict:
    """Judge how long the model that fared worst was out of service."""
    maximum = question.gates.providers.maximum_out_percent
    metric = "time that a model was left out after failures"
    builder = VerdictBuilder(Gate.PROVIDERS, evidence, question, metric, f"at most {maximum:g} % each")
    out, window = evidence.seconds_out, evidence.windows[Gate.PROVIDERS]
    if out is None:
        return builder.unanswered(part="litellm")
    shares = {model: min(1.0, seconds / window) for model, seconds in out.items() if seconds}
    value = ", ".join(f"{model} {percent(share)}" for model, share in sorted(shares.items(), key=lambda each: -each[1]))
    failing = [model for model, share in shares.items() if share * 100 > maximum]
    if failing:
        cause = f"{', '.join(failing)}: retired, overloaded or rate-limited at OpenRouter"
        mend = f"./fridayctl preflight {question.stack} says which are gone; replace them in models"
        return builder.fails(value, None, cause=cause, mend=mend)
    return builder.passes(value or "none")


def complaints(evidence: Evidence, question: Question) -> Verdict:
    """Judge whether somebody has signed that no user complained."""
    builder = VerdictBuilder(Gate.COMPLAINTS, evidence, question, "complaints of users", "none, signed by somebody")
    if question.signed_off_by:
        return builder.passes(f"none, says {question.signed_off_by}")
    mend = f"./fridayctl promote {question.stack} --no-complaints NAME"
    since = in_words(timedelta(seconds=evidence.windows.get(Gate.COMPLAINTS, 0)))
    return builder.holds(
        "nobody has signed", None, cause=f"no metric knows what users said in the last {since}", mend=mend
    )
