"""What the stock client's /health is answered, in LiteLLM's own form: from what is known, without a call to a model."""

import json
import math
from collections.abc import Awaitable, Callable, Collection, Mapping

from gateway.rests import Rest

Resting = Callable[[Collection[str]], Awaitable[Mapping[str, Rest]]]
"""Returns those of some models, as the upstream names them, that are left out after failures at the moment."""


def summary(models: Collection[str], resting: Mapping[str, Rest], quota_wait: int) -> bytes:
    """Return which of the models could answer now.

    None could while the account's calls are spent, for `quota_wait` seconds (0: they are not). Of a model only its name
    is told: LiteLLM's own answer has the parameters of its calls too.
    """
    errors = {name: f"left out for {math.ceil(rest.seconds)} s: {rest.reason}" for name, rest in resting.items()}
    if quota_wait:
        errors = dict.fromkeys(models, f"the account's free calls are spent for {quota_wait} s")
    healthy = [{"model": f"openrouter/{name}"} for name in models if name not in errors]
    unhealthy = [{"model": f"openrouter/{name}", "error": errors[name]} for name in models if name in errors]
    document = {
        "healthy_endpoints": healthy,
        "unhealthy_endpoints": unhealthy,
        "healthy_count": len(healthy),
        "unhealthy_count": len(unhealthy),
    }
    return json.dumps(document).encode()


def checked(model: str, id_: str) -> bytes:
    """Return what is said of a model that has answered; `id_` is LiteLLM's."""
    found = {"healthy_endpoints": [{"model": model, "model_id": id_}], "unhealthy_endpoints": []}
    return json.dumps({**found, "healthy_count": 1, "unhealthy_count": 0}).encode()
