"""What the stock client's /health is answered, in LiteLLM's own form: from what is known, without a call to a model."""

import json
from collections.abc import Awaitable, Callable, Collection, Mapping

Resting = Callable[[Collection[str]], Awaitable[Collection[str]]]
"""Returns those of some deployments, by their ids, that are left out after failures at the moment."""


def summary(deployments: Mapping[str, str], resting: Collection[str], quota_wait: int) -> bytes:
    """Return which models could answer now; `deployments` are the models by their deployments' ids.

    None could while the account's calls are spent, for `quota_wait` seconds (0: they are not). Of a model only its name
    is told: LiteLLM's own answer has the parameters of its calls too.
    """
    errors = {name: "left out for a while, after failures" for name in resting}
    if quota_wait:
        errors = dict.fromkeys(deployments, f"the account's free calls are spent for {quota_wait} s")
    healthy = [{"model": model} for name, model in deployments.items() if name not in errors]
    unhealthy = [{"model": model, "error": errors[name]} for name, model in deployments.items() if name in errors]
    document = {
        "healthy_endpoints": healthy,
        "unhealthy_endpoints": unhealthy,
        "healthy_count": len(healthy),
        "unhealthy_count": len(unhealthy),
    }
    return json.dumps(document).encode()
