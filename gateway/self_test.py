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
_PAID = "openrouter/self-test/paid"
_FREE = "openrouter/self-test/model:free"
_ZERO = {"provider": {"max_price": {"prompt": 0, "completion": 0}}}

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
    """Let LiteLLM's own router call a paid model, a free one at a foreign host, and one that the stack has not.

    The guard has to stop the first two, and our transport the third one, just before it leaves: it would cost nothing,
    and it shows that LiteLLM calls the upstream through us. Raises `StartError` unless each was stopped with our words.
    """
    for model in (_PAID, _FREE):
        try:
            policy.check_deployment(model, _NOWHERE, upstream)
        except RefusedError as refused:
            await _stopped(model, _NOWHERE, refused.message, "gateway.guard before a call")
        else:
            raise StartError(f"gateway.guard allows calls to {model} at {_NOWHERE}")
    await _stopped(_FREE, upstream, "only the stack's free models", "gateway.upstream to send a call")


async def _stopped(model: str, api_base: str, words: str, who: str) -> None:
    router = litellm_internals.router()
    params = LiteLLM_Params(model=model, api_base=api_base, api_key="none", extra_body=_ZERO)
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
