"""The gate on what LiteLLM adds to the time of its models."""

from ops.rollout.gates.evidence import Evidence
from ops.rollout.gates.gate import Gate, VerdictBuilder
from ops.rollout.gates.look import GATEWAY, Figure
from ops.rollout.gates.verdict import GateInput, Verdict

_NAME = "overhead"
_ADDED = Figure("overhead", lambda look: look.durations("litellm_overhead_latency_metric_bucket", GATEWAY))


def _judge(evidence: Evidence, given: GateInput) -> Verdict:
    """Judge the median of what LiteLLM adds to the time of its models."""
    settings = given.gates.overhead
    threshold = f"median at most {settings.p50_milliseconds:g} ms"
    builder = VerdictBuilder(_NAME, evidence, given, "time that LiteLLM adds to a model's", threshold)
    added = _ADDED.of(evidence)
    if added is None:
        return builder.unanswered("litellm")
    if few := builder.too_few(added.samples, settings.minimum_samples):
        return few
    median = added.quantile(0.5) * 1000
    value = f"median {median:.1f} ms"
    if median > settings.p50_milliseconds:
        cause = "the gateway's host is short of processor time, or Redis answers slowly"
        fix = f"./fridayctl status {given.stack}; more litellm.replicas, or a host with less beside it"
        return builder.fails(value, added.samples, cause=cause, fix=fix)
    return builder.passes(value, added.samples)


GATE = Gate(_NAME, _judge, (_ADDED,), needs_gateway_traffic=True)
