"""The gate on what LiteLLM adds to the time of its models."""

from indicators.selectors import GATEWAY, OVERHEAD
from ops.rollout.gates.gate import Case, Gate, Verdict
from ops.rollout.gates.look import Figure

_ADDED = Figure("overhead", lambda look: look.durations(OVERHEAD, GATEWAY))


def _judge(case: Case) -> Verdict:
    """Judge the median of what LiteLLM adds to the time of its models."""
    settings = case.given.gates.overhead
    case = case.about("time that LiteLLM adds to a model's", f"median at most {settings.p50_milliseconds:g} ms")
    added = _ADDED.of(case.evidence)
    if added is None:
        return case.unanswered("litellm")
    if few := case.too_few(added.samples, settings.minimum_samples):
        return few
    median = added.quantile(0.5) * 1000
    value = f"median {median:.1f} ms"
    if median > settings.p50_milliseconds:
        certainty = case.certainty
        if not certainty.one_look and certainty.quantile(added, 0.5)[0] * 1000 < settings.p50_milliseconds:
            fix = f"./fridayctl promote {case.stack} --dry-run judges what was measured, in one look"
            return case.inconclusive(value, added.samples, cause="it may be chance, as often as one looks", fix=fix)
        cause = "the gateway's host is short of processor time, or Redis answers slowly"
        fix = f"./fridayctl status {case.stack}; more litellm.replicas, or a host with less beside it"
        return case.fails(value, added.samples, cause=cause, fix=fix)
    return case.passes(value, added.samples)


GATE = Gate("overhead", _judge, (_ADDED,), needs_gateway_traffic=True)
