"""The guard proves itself at each start: LiteLLM is given calls that the guard has to stop, and none may get through.

Only LiteLLM calls `guard`, and one that no longer did would send every call. Most of the calls go to a port of this
machine where nobody listens, so one that gets through reaches nobody. After them a chat is rehearsed, so that the first
one of a user does not wait for what Python and LiteLLM load at their first call.
"""

from typing import Any

from litellm.types.router import Deployment, LiteLLM_Params

from gateway import policy
from gateway.chat import Chats
from gateway.environment import Gateway, StartError
from gateway.policy import RefusedError
from gateway.request_context import RequestContext
from gateway.upstream import Answered

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


async def prove(router: Any, upstream: str) -> None:
    """Let LiteLLM's router make `_CALLS` to a foreign host, and call a model that the stack has not.

    The guard has to stop `_CALLS`, and our transport the other one, just before it leaves: it would cost nothing,
    and it shows that LiteLLM calls the upstream through us. Raises `StartError` unless each was stopped with our words.
    """
    for model, extra_body in _CALLS:
        try:
            policy.check_deployment(model, _NOWHERE, upstream, extra_body)
        except RefusedError as refused:
            await _stopped(router, model, _NOWHERE, extra_body, refused.message, "gateway.guard before a call")
        else:
            raise StartError(f"gateway.guard allows calls to {model} at {_NOWHERE}")
    await _stopped(router, _FREE, upstream, _ZERO, "only the stack's free models", "gateway.upstream to send a call")


async def _stopped(router: Any, model: str, api_base: str, extra_body: dict[str, Any], words: str, who: str) -> None:
    params = LiteLLM_Params(model=model, api_base=api_base, api_key="none", extra_body=extra_body)
    router.add_deployment(Deployment(model_name=_NAME, litellm_params=params, model_info={"id": _NAME}))
    try:
        await router.acompletion(_NAME, [{"role": "user", "content": "-"}], timeout=2, **{"no-log": True})
        found = "it was answered"
    except Answered:
        found = "the upstream has answered it"
    except Exception as error:  # only our own refusal counts
        found = f"{type(error).__name__}: {error}"
    finally:
        router.delete_deployment(_NAME)
    if words not in found:
        raise StartError(f"this LiteLLM does not ask {who}: {model} was not stopped ({found})")


async def rehearse(chats: Chats, gateway: Gateway) -> None:
    """Answer a plain chat and a stream as those of users are, except that no call leaves: `upstream` plays the model.

    Raises `StartError` unless both are answered.
    """
    for stream in (False, True):
        body = {"model": gateway.models[0], "messages": [{"role": "user", "content": "-"}], "stream": stream}
        context = RequestContext(rehearsal=True, resting={})
        try:
            answer = await chats.answer(body, context)
            if not isinstance(answer, dict):
                async for _ in answer:
                    """Read to its end."""
        except RefusedError as refused:
            raise StartError(f"this LiteLLM does not answer a chat: {refused.message}") from None
        finally:
            await context.close()
