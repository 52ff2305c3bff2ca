"""Test builds of the gateway: every lock is off but those that are named. Run inside of its image.

`unlocked.py LOCK...` starts the gateway with its request filter and, inside of it, these locks.
"""

import importlib
import json
import sys
from collections.abc import Collection

import httpx

from gateway import environment, leaving, policy, serve, state

LOCKS = ("guard", "transport", "leaving", "price")
"""Those behind the request filter: `guard`, `upstream`, `leaving`, and `max_price` in the config of each model."""


class Through(httpx.AsyncBaseTransport):
    """Sends whatever it is given, in the place of `leaving.Leaving`."""

    def __init__(self, inner: httpx.AsyncBaseTransport, **_: object) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it."""
        return await self._inner.handle_async_request(request)


def unchecked(method: str, url: str, body: bytes, upstream: str, models: Collection[str]) -> policy.Sent:
    """Let everything pass, in the place of `policy.check_sent`."""
    sent = json.loads(body)
    return policy.Sent(str(sent.get("model")), bool(sent.get("stream")))


async def unproved(*_: object) -> None:
    """Start although locks are off, in the place of `self_test.prove`."""


def keep(locks: Collection[str]) -> environment.Gateway:
    """Take every lock off but these, and return the settings."""
    gateway = environment.current()
    if "guard" not in locks:
        for check in (policy.check_deployment, policy.check_steering):
            setattr(policy, check.__name__, lambda *_: None)
    if "transport" not in locks:
        setattr(policy, policy.check_sent.__name__, unchecked)
    if "leaving" not in locks:
        setattr(state, leaving.Leaving.__name__, Through)
    for entry in gateway.rendered["model_list"] if "price" not in locks else ():
        del entry["litellm_params"]["extra_body"]
    return gateway


def main() -> None:
    """Serve with these locks."""
    keep(sys.argv[1:])
    prepared = serve._prepare_environment

    def prepare(gateway: environment.Gateway) -> None:
        prepared(gateway)  # before LiteLLM is imported
        importlib.import_module("gateway.self_test").prove = unproved  # type: ignore[attr-defined]

    serve._prepare_environment = prepare
    serve.main()


if __name__ == "__main__":
    main()
