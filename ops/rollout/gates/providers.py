"""The gate on the models: how long the one that fared worst was out of service."""

from ops.rollout.gates.gate import Case, Gate, Verdict, percent
from ops.rollout.gates.look import GATEWAY, Figure, Look


def _look(look: Look) -> dict[str, float] | None:
    found = look.by_label("litellm_deployment_cooled_down_total", "litellm_model_name", GATEWAY)
    return None if found is None else {model: times * look.scope.cooldown_seconds for model, times in found.items()}


_SECONDS_OUT = Figure("seconds_out", _look)


def _judge(case: Case) -> Verdict:
    """Judge how long the model that fared worst was out of service."""
    maximum = case.given.gates.providers.maximum_out_percent
    case = case.about("time that a model was left out after failures", f"at most {maximum:g} % each")
    out, window = _SECONDS_OUT.of(case.evidence), case.evidence.windows[case.gate]
    if out is None:
        return case.unanswered("litellm")
    shares = {model: min(1.0, seconds / window) for model, seconds in out.items() if seconds}
    value = ", ".join(f"{model} {percent(share)}" for model, share in sorted(shares.items(), key=lambda each: -each[1]))
    failing = [model for model, share in shares.items() if share * 100 > maximum]
    if failing:
        cause = f"{', '.join(failing)}: retired, overloaded or rate-limited at OpenRouter"
        fix = f"./fridayctl preflight {case.stack} says which are gone; replace them in models"
        return case.fails(value, None, cause=cause, fix=fix)
    return case.passes(value or "none")


GATE = Gate("providers", _judge, (_SECONDS_OUT,), needs_gateway_traffic=True)
