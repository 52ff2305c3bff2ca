"""The guard proves itself at each start: LiteLLM is given calls that the guard has to stop, and none may get through.
Before that every name that our config and our code use of LiteLLM is looked for.

Only LiteLLM calls `guard`, and one that no longer did would send every call. Most of the calls go to a port of this
machine where nobody listens, so one that gets through reaches nobody.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import yaml
from litellm.types.router import Deployment, LiteLLM_Params

from gateway import known_names, litellm_internals, policy
from gateway.environment import Gateway, StartError
from gateway.policy import RefusedError
from serving.drain import ASGIApp

_NOWHERE = "http://127.0.0.1:9/api/v1"
_NAME = "self-test"
_ZERO = {"provider": {"max_price": dict.fromkeys(policy.PRICES, 0)}}
_PRICED = {"provider": {"max_price": {**dict.fromkeys(policy.PRICES, 0), "prompt": 1}}}
_FREE = "openrouter/self-test/model:free"
_CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("openrouter/self-test/paid", _ZERO),
    (_FREE, {}),
    (policy.FREE_ROUTER, _PRICED),
    (_FREE, _ZERO),
)
"""Ids and what the call adds to the body: each is stopped by another rule, the last by its foreign host."""

Message = MutableMapping[str, Any]


class SelfTested:
    """The application `app`, which starts only when `prove` has passed; if not, it says why and the server ends."""

    def __init__(self, app: ASGIApp, gateway: Gateway) -> None:
        self._app = app
        self._gateway = gateway

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Pass everything on, and the news that the application has started only after the proof."""

        async def send_proved(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                try:
                    known_names.require(yaml.safe_load(self._gateway.config.read_text(encoding="utf-8")))
                    await prove(self._gateway.upstream)
                except StartError as error:
                    message = {"type": "lifespan.startup.failed", "message": str(error)}
            await send(message)

        await self._app(scope, receive, send_proved if scope["type"] == "lifespan" else send)


async def prove(upstream: str) -> None:
    """Let LiteLLM's own router make `_CALLS` to a foreign host, and call a model that the stack has not.

    The guard has to stop `_CALLS`, and our transport the other one, just before it leaves: it would cost nothing,
    and it shows that LiteLLM calls the upstream through us. Raises `StartError` unless each was stopped with our words.
    """
    for model, extra_body in _CALLS:
        try:
            policy.check_deployment(model, _NOWHERE, upstream, extra_body)
        except RefusedError as refused:
            await _stopped(model, _NOWHERE, extra_body, refused.message, "gateway.guard before a call")
        else:
            raise StartError(f"gateway.guard allows calls to {model} at {_NOWHERE}")
    await _stopped(_FREE, upstream, _ZERO, "only the stack's free models", "gateway.upstream to send a call")


async def _stopped(model: str, api_base: str, extra_body: dict[str, Any], words: str, who: str) -> None:
    router = litellm_internals.router()
    params = LiteLLM_Params(model=model, api_base=api_base, api_key="none", extra_body=extra_body)
    router.add_deployment(Deployment(model_name=_NAME, litellm_params=params, model_info={"id": _NAME}))
    try:
        await router.acompletion(_NAME, [{"role": "user", "content": "-"}], timeout=2, **{"no-log": True})
        found = "it was answered"
    except Exception as error:  # only our own refusal counts
        found = f"{type(error).__name__}: {error}"
    finally:
        router.delete_deployment(_NAME)
    if words not in found:
        raise StartError(f"this LiteLLM does not ask {who}: {model} was not stopped ({found})")
