"""The locks inside LiteLLM: they hold even when it is started without the request filter in front.

`auth` is its `custom_auth`; `guard` is a callback that checks each request and each call to OpenRouter.
"""

from typing import Any

import litellm
from fastapi import HTTPException, Request
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy._types import LitellmUserRoles, UserAPIKeyAuth

from gateway import environment, policy, state
from gateway.policy import Access, RefusedError
from gateway.request_context import CURRENT, RequestContext

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
    """Allows only chats with a free model at the upstream, and only while a further call is of use."""

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

    async def async_pre_call_deployment_hook(self, kwargs: dict[str, Any], call_type: Any) -> dict[str, Any]:
        """Check one call to a model before it is made, and have it made with our own client (`gateway.upstream`).

        A refusal is a bad request: LiteLLM goes on to the next model, whose call is refused here too when none may be
        called for this request any more.
        """
        gateway, name = environment.current(), str(kwargs.get("model", ""))
        try:
            policy.check_deployment(name, kwargs.get("api_base"), gateway.upstream, kwargs.get("extra_body"))
        except RefusedError as error:
            raise _refusal(name, error.message) from None
        context = CURRENT.get()
        if context is None:
            context = RequestContext()
            CURRENT.set(context)
        model = environment.upstream_name(name)
        if context.resting is None:
            context.resting = await state.rests().resting(gateway.called_models(but_not=context.unable))
        over = context.over() or ("it is left out after failures" if model in context.resting else None)
        if over:
            raise _refusal(name, over)
        context.model = model
        return {**kwargs, "client": state.client()}

    async def async_post_call_success_hook(
        self, data: dict[str, Any], user_api_key_dict: UserAPIKeyAuth, response: Any
    ) -> None:
        """Name a model that the client may ask for again: after a fallback LiteLLM leaves OpenRouter's own name."""
        context = CURRENT.get()
        if context is not None and context.name is not None and hasattr(response, "model"):
            response.model = context.name


def _refusal(model: str, message: str) -> litellm.BadRequestError:
    return litellm.BadRequestError(message=message, model=model, llm_provider="openrouter")


guard = Guard()
