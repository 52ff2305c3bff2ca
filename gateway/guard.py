"""The locks inside LiteLLM: a callback that its router asks about each call, whoever makes it."""

from typing import Any

import litellm
from litellm.integrations.custom_logger import CustomLogger

from gateway import environment, policy, state
from gateway.policy import RefusedError
from gateway.request_context import CURRENT, RequestContext


class Guard(CustomLogger):  # type: ignore[misc]  # LiteLLM is installed in its own image only
    """Allows only chats with a free model at the upstream, and only while a further call is of use."""

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
            policy.check_steering(kwargs)
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


def _refusal(model: str, message: str) -> litellm.BadRequestError:
    return litellm.BadRequestError(message=message, model=model, llm_provider="openrouter")


guard = Guard()
