"""What a request needs of a model, and the refusal of a model that does not have it."""

import re
from collections.abc import Iterator
from typing import Any

from simulator.answers import ChatRequest
from simulator.catalogue import Model
from simulator.errors import ApiError
from simulator.faults import RefusalKind
from simulator.refusals import refused

_PARAMETERS = {
    *("frequency_penalty", "presence_penalty", "repetition_penalty", "temperature", "min_p", "top_a", "top_k", "top_p"),
    *("logit_bias", "logprobs", "top_logprobs", "seed", "stop", "max_tokens", "max_completion_tokens", "verbosity"),
    *("tools", "tool_choice", "parallel_tool_calls", "response_format", "reasoning", "include_reasoning"),
}
"""The fields that `provider.require_parameters` compares with a model's `supported_parameters`."""
_MODALITIES: dict[str, RefusalKind] = {"image_url": "image", "input_audio": "audio"}
"""The parts of a message that need more than text. A file does not: OpenRouter turns it into text itself."""


def misfit(model: Model, request: ChatRequest, tokens: int, needed: int) -> ApiError | None:
    """Return the refusal of a request by a model, in the order of OpenRouter's steps; None when the model takes it.

    `tokens` are those of the prompt, `needed` includes the longest allowed answer.
    """
    for refuses in (_modality, _tools, _parameters, _data_policy, _price):
        if (refusal := refuses(model, request)) is not None:
            return refusal
    if needed > model.context_length:
        names = {"limit": model.context_length, "needed": needed, "text": tokens, "output": needed - tokens}
        return refused(
            "context", model.id, model.provider_name, **{name: str(number) for name, number in names.items()}
        )
    return _tool_names(model, request)


def _refused(kind: RefusalKind, model: Model, **names: str) -> ApiError:
    return refused(kind, model.id, model.provider_name, **names)


def _modality(model: Model, request: ChatRequest) -> ApiError | None:
    for part in _parts(request):
        kind = _MODALITIES.get(str(part.get("type")))
        if kind is not None and kind not in model.input_modalities:
            return _refused(kind, model)
    return None


def _parts(request: ChatRequest) -> Iterator[dict[str, Any]]:
    for message in request.messages:
        content = message.get("content")
        yield from (part for part in content if isinstance(part, dict)) if isinstance(content, list) else ()


def _functions(request: ChatRequest) -> list[str]:
    return [str((tool.get("function") or {}).get("name", "")) for tool in request.tools or []]


def _tools(model: Model, request: ChatRequest) -> ApiError | None:
    if request.tools and "tools" not in model.supported_parameters:
        return _refused("tools", model, tool=_functions(request)[0])
    return None


def _parameters(model: Model, request: ChatRequest) -> ApiError | None:
    """Structured output needs a model that has it; other parameters only count when the request says so."""
    wanted = {"structured_outputs"} if (request.response_format or {}).get("type") == "json_schema" else set()
    if (request.provider or {}).get("require_parameters") is True:
        wanted |= _PARAMETERS.intersection(request.field_names())
    return None if wanted <= set(model.supported_parameters) else _refused("parameters", model)


def _data_policy(model: Model, request: ChatRequest) -> ApiError | None:
    wanted = request.provider or {}
    if wanted.get("data_collection") == "deny" and model.data_collection:
        return _refused("data_policy", model, policy="Free model training")
    if wanted.get("zdr") is True and not model.zdr:
        return _refused("data_policy", model, policy="Zero data retention")
    return None


def _price(model: Model, request: ChatRequest) -> ApiError | None:
    if model.above(_max_price(request.provider or {})):
        return ApiError(404, f"No endpoints found for {model.id} within the requested max_price.")
    return None


def _max_price(provider: dict[str, Any]) -> dict[str, float]:
    ceiling = provider.get("max_price") or {}
    try:
        return {str(what): float(price) for what, price in ceiling.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise ApiError(400, "provider.max_price: should map price names to numbers") from error


def _tool_names(model: Model, request: ChatRequest) -> ApiError | None:
    pattern = model.tool_name_pattern
    for index, name in enumerate(_functions(request) if pattern else []):
        if pattern and not re.fullmatch(pattern.removeprefix("^").removesuffix("$"), name):
            return _refused("tool_name", model, index=str(index), pattern=pattern)
    return None
