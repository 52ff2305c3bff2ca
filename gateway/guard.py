"""The locks inside LiteLLM: they hold even when it is started without the request filter in front.

`auth` is its `custom_auth`; `guard` is a callback that checks each request and each call to OpenRouter.
"""

import logging
import time
from typing import Any

import litellm
from fastapi import HTTPException, Request
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy._types import LitellmUserRoles, UserAPIKeyAuth

from gateway import environment, policy, state
from gateway.policy import Access, RefusedError
from gateway.quota import spent_for
from gateway.state import CURRENT, RequestContext

logger = logging.getLogger("gateway.guard")

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

    async def async_filter_deployments(
        self,
        model: str,
        healthy_deployments: list[dict[str, Any]],
        messages: Any,
        request_kwargs: dict[str, Any] | None = None,
        parent_otel_span: Any = None,
    ) -> list[dict[str, Any]]:
        """Leave out the models that cannot take this request (`abilities`); nothing is noted about their health."""
        context = CURRENT.get()
        unable = frozenset() if context is None else context.unable
        return [each for each in healthy_deployments if each["model_info"]["id"] not in unable]

    async def async_pre_call_deployment_hook(self, kwargs: dict[str, Any], call_type: Any) -> None:
        """Check one call to a model just before it is sent, and count it against the quota.

        A refusal is a bad request, so LiteLLM does not count it as a failure of the model and starts no cooldown.
        """
        model = str(kwargs.get("model", ""))
        try:
            upstream = environment.current().upstream
            policy.check_deployment(model, kwargs.get("api_base"), upstream, kwargs.get("extra_body"))
        except RefusedError as error:
            raise _refusal(model, error.message) from None
        context = CURRENT.get() or RequestContext()
        if not context.quota_wait and context.attempts >= context.paid:
            context.quota_wait = await state.quota().take()
        if context.quota_wait:
            raise _refusal(model, "the account's quota is spent")
        context.attempts += 1
        context.model = model.removeprefix("openrouter/")
        state.metrics().attempts.labels(context.model).inc()

    async def async_post_call_success_hook(
        self, data: dict[str, Any], user_api_key_dict: UserAPIKeyAuth, response: Any
    ) -> None:
        """Name a model that the client may ask for again: after a fallback LiteLLM leaves OpenRouter's own name."""
        context = CURRENT.get()
        if context is not None and context.name is not None and hasattr(response, "model"):
            response.model = context.name

    async def async_post_call_failure_deployment_hook(
        self, request_data: Any, exception: Exception, call_type: Any, fallback_depth: int | None = None
    ) -> None:
        """Log the model that failed and the kind of failure, without the text, which may quote a user.

        When OpenRouter refused the account and not the model, the other models are not called.
        """
        status = getattr(exception, "status_code", None)
        context = CURRENT.get()
        if context is not None and status == 429:
            context.quota_wait = spent_for(str(exception), time.time())
        logger.warning("%s failed: %s (status %s)", request_data.get("model"), type(exception).__name__, status)


def _refusal(model: str, message: str) -> litellm.BadRequestError:
    return litellm.BadRequestError(message=message, model=model, llm_provider="openrouter")


guard = Guard()
