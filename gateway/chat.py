"""A clean chat in, an answer out: LiteLLM's router asks the models, one after the other."""

import logging
from collections.abc import AsyncIterator
from typing import Any

from gateway import completions, errors
from gateway.environment import Gateway
from gateway.logs import place_of
from gateway.metrics import Metrics
from gateway.quota import Quota
from gateway.request_context import CURRENT, RequestContext
from gateway.upstream import Answered

Answer = dict[str, Any] | AsyncIterator[dict[str, Any]]
"""A whole answer, or the chunks of a stream, as clients get them."""

UNKNOWN_STATUS = 500
CHECK_TOKENS = 16

logger = logging.getLogger("gateway.chat")


class Chats:
    """Answers chats by a router (`router.build`)."""

    def __init__(self, router: Any, gateway: Gateway, quota: Quota, metrics: Metrics) -> None:
        self._router = router
        self._first = gateway.first_models
        self._groups = gateway.rendered["router_settings"]["model_group_alias"]
        self._quota = quota
        self._metrics = metrics

    async def answer(self, body: dict[str, Any], context: RequestContext) -> Answer:
        """Return the answer to a clean request (`policy.clean_chat`); afterwards `context` has to be closed.

        Raises `RefusedError` with what the client is told when no model answers. Chunks may raise `FailedError`.
        """
        first = self._first[body["model"]]
        await self._ask(body, context)
        name = body["model"] if context.model == first else f"openrouter/{context.model}"
        if context.model != first:
            self._metrics.fallbacks.labels(context.model).inc()
        if context.stream is not None:
            wants_usage = (body.get("stream_options") or {}).get("include_usage", False)
            return completions.chunks(context.stream, name, with_usage=bool(wants_usage))
        return completions.whole(context.plain or {}, name)

    async def check(self, name: str, context: RequestContext) -> None:
        """Ask the one model behind a name. Raises `RefusedError` when it does not answer."""
        messages = [{"role": "user", "content": "Say hello."}]
        await self._ask({"model": self._groups[name], "messages": messages, "max_tokens": CHECK_TOKENS}, context)

    async def _ask(self, body: dict[str, Any], context: RequestContext) -> None:
        """Have the models asked until one has answered: what it said is then in the context."""
        wait = self._quota.refused_for()
        if wait:
            raise errors.quota_spent(wait)
        token = CURRENT.set(context)
        try:
            await self._router.acompletion(**body)
        except Answered:
            return
        except Exception as error:  # LiteLLM's errors have no class in common
            if not context.attempts and context.over() is None and not context.resting:
                logger.warning("no call was made: %s", place_of(error))
            raise errors.told(context, int(getattr(error, "status_code", None) or UNKNOWN_STATUS)) from None
        finally:
            CURRENT.reset(token)
        if context.plain is None and context.stream is None:
            raise errors.told(context, UNKNOWN_STATUS)  # LiteLLM answered and has not asked us
