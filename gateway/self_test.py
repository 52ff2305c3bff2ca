"""The guard proves itself at each start: LiteLLM is given calls that the guard has to stop, and none may get through.
One more call passes the guard and has to end at `leaving`, where calls are counted.
Before that every name that our config and our code use of LiteLLM is looked for.

Only LiteLLM calls `guard`, and one that no longer did would send every call. The calls go to a port of this machine
where nobody listens, so one that gets through reaches nobody.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import litellm
import yaml
from litellm.types.router import Deployment, LiteLLM_Params

from gateway import known_names, litellm_internals, policy
from gateway.environment import Gateway, StartError
from gateway.policy import RefusedError
from gateway.state import CURRENT, RequestContext
from serving.drain import ASGIApp

_NOWHERE = "http://127.0.0.1:9/api/v1"
_NAME = "self-test"
_REHEARSAL = "a rehearsal: this call does not leave"
_MODELS = ("openrouter/self-test/paid", "openrouter/self-test/model:free")

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
    """Let LiteLLM's own router call a paid model, a free one at a foreign host, and a free one that may be called.

    Raises `StartError` unless the guard stopped each of the first two with its own words, and the last one ended at
    the way out.
    """
    for model in _MODELS:
        try:
            policy.check_deployment(model, _NOWHERE, upstream)
        except RefusedError as refused:
            if found := await _other_end(model, _NOWHERE, refused.message):
                raise StartError(
                    f"this LiteLLM does not ask gateway.guard before a call: {model} was not stopped ({found})"
                ) from None
        else:
            raise StartError(f"gateway.guard allows calls to {model} at {_NOWHERE}")
    before = CURRENT.set(RequestContext(rehearsal=_REHEARSAL))
    try:
        if found := await _other_end(_MODELS[-1], upstream, _REHEARSAL):
            raise StartError(f"this LiteLLM does not use gateway.leaving for its calls: they are not counted ({found})")
    finally:
        CURRENT.reset(before)


async def _other_end(model: str, base: str, expected: str) -> str:
    """Call a model, and return how that ended; nothing if it was refused with the expected words."""
    router = litellm_internals.router()
    params = LiteLLM_Params(model=model, api_base=base, api_key="none")
    router.add_deployment(Deployment(model_name=_NAME, litellm_params=params, model_info={"id": _NAME}))
    try:
        await router.acompletion(_NAME, [{"role": "user", "content": "-"}], timeout=2, **{"no-log": True})
    except Exception as error:  # only our own refusal counts
        found = f"{type(error).__name__}: {error}"
        return "" if isinstance(error, litellm.BadRequestError) and expected in found else found
    finally:
        router.delete_deployment(_NAME)
    return "it was answered"
