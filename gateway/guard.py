"""The locks inside LiteLLM: they hold even when it is started without the request filter in front.

`auth` is its `custom_auth`; `guard` is a callback that checks each request and each call to OpenRouter.
"""

import logging
import time
from functools import cache
from typing import Any

import httpx
import litellm
from fastapi import HTTPException, Request
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy._types import LitellmUserRoles, UserAPIKeyAuth

from gateway import environment, litellm_internals, policy, state
from gateway.leaving import Leaving
from gateway.policy import Access, RefusedError
from gateway.quota import spent_for
from gateway.state import CURRENT, RequestContext

logger = logging.getLogger("gateway.guard")

_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=30.0)
"""LiteLLM limits the requests; connections that idle longer may have been closed by what is in between."""

_ALIASES = {Access.OPEN: "open", Access.CHAT: "gateway", Access.OPS: "ops"}


async def auth(request: Request, api_key: str) -> UserAPIKeyAuth:
    """Admit a request to LiteLLM by route, key and body. Raises `HTTPException` with the policy's status.

    A chat request must be in the form that the request filter produces. A request that `policy.clean_chat` would
    change did not pass the filter.
    """
    gateway = environment.current()
    try:
        access = policy.access_of(request.method, request.url.path)
        policy.authorize(access, request.headers.get("authorization"), gateway.keys)
        if request.method == "POST":
            policy.check_clean(await request.json(), gateway.models)
    except RefusedError as error:
        raise HTTPException(error.status, error.message) from None
    alias = _ALIASES[access]
    return UserAPIKeyAuth(api_key=alias, key_alias=alias, user_role=LitellmUserRoles.INTERNAL_USER)


class Guard(CustomLogger):  # type: ignore[misc]  # LiteLLM is installed in its own image only
    """Allows only chats with a free model, at the upstream and within the quota."""

    async def async_pre_call_hook(
        self, user_api_key_dict: UserAPIKeyAuth, cache: Any, data: dict[str, Any], call_type: str
    ) -> None:
        """Refuse every kind of call but chat, and every model name that clients may not send."""
        try:
            policy.check_call(call_type, data.get("model"), environment.current().models)
        except RefusedError as error:
            raise HTTPException(error.status, error.message) from None

    async def async_pre_call_deployment_hook(self, kwargs: dict[str, Any], call_type: Any) -> dict[str, Any]:
        """Check one call to a model, and give it the way on which it is counted when it leaves (`leaving`).

        LiteLLM asks its cache only after this. A refusal is a bad request, so LiteLLM does not count it as a failure of
        the model and starts no cooldown.
        """
        model = str(kwargs.get("model", ""))
        try:
            policy.check_deployment(model, kwargs.get("api_base"), environment.current().upstream)
        except RefusedError as error:
            raise _refusal(model, error.message) from None
        context = CURRENT.get()
        if context is None:
            context = RequestContext()
            CURRENT.set(context)
        if context.quota_wait:
            raise _refusal(model, "the account's quota is spent")
        context.model = model.removeprefix("openrouter/")
        return {**kwargs, "client": _way_out()}

    async def async_post_call_failure_deployment_hook(
        self, request_data: Any, exception: Exception, call_type: Any, fallback_depth: int | None = None
    ) -> None:
        """Log the model that failed and the kind of failure, without the text, which may quote a user.

        When OpenRouter refused the account and not the model, the other models are not called.
        """
        status = getattr(exception, "status_code", None)
        context = CURRENT.get()
        if context is not None and (context.quota_wait or context.rehearsal):
            return  # nothing was sent
        if context is not None and status == 429:
            context.quota_wait = spent_for(str(exception), time.time())
        logger.warning("%s failed: %s (status %s)", request_data.get("model"), type(exception).__name__, status)


@cache
def _way_out() -> Any:
    """Return LiteLLM's client for all calls of this process."""
    gateway = environment.current()
    way = Leaving(
        # From the environment it takes the authorities (SSL_CERT_FILE), and the proxy is for the upstream alone.
        httpx.AsyncHTTPTransport(limits=_LIMITS, proxy=environment.proxy_of(gateway.upstream)),
        upstream=gateway.upstream,
        quota=state.quota,
        attempts=state.metrics().attempts,
    )
    return litellm_internals.client(way)


def _refusal(model: str, message: str) -> litellm.BadRequestError:
    return litellm.BadRequestError(message=message, model=model, llm_provider="openrouter")


guard = Guard()
