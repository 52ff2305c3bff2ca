"""Turns parameters into the JSON body of a request."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from friday.llm import constants
from friday.llm.errors import InvalidRequest, PaidModelRefused
from friday.llm.types import InvokeParams


def parse_params(params: InvokeParams | Mapping[str, Any]) -> InvokeParams:
    """Return validated parameters.

    Raises InvalidRequest, which names the first wrong field and never repeats the input, and PaidModelRefused for a
    full model id that does not end in ":free", on either path and before any request. Short names have no vendor and no
    price: the gateway knows free models only, and the direct path never uses them.
    """
    if not isinstance(params, InvokeParams):
        try:
            params = InvokeParams.model_validate(params)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            message = first["msg"].removeprefix("Value error, ")
            if not field and ":" in message:
                field, _, message = message.partition(": ")
            raise InvalidRequest(f"{field or 'request'}: {message}", field=field or None) from None
    if params.model and "/" in params.model and not params.model.endswith(constants.FREE_SUFFIX):
        raise PaidModelRefused(f"model: {params.model} is not a free model", field="model")
    return params


def gateway_model(params: InvokeParams) -> str:
    """Return the name to ask the gateway for: Friday's short names become long ones, others stay."""
    if params.model is None:
        return constants.DEFAULT_GATEWAY_MODEL
    return constants.STOCK_MODELS.get(params.model, params.model)


def encode_body(
    params: InvokeParams, model: str, *, stream: bool, direct: bool, demands: Mapping[str, str | bool] | None = None
) -> bytes:
    """Return the request body. `direct` makes OpenRouter refuse rather than charge, and report the cost.

    `demands` is what the direct path asks of providers besides. The gateway does all of this by itself.
    """
    body = {"model": model, **params.model_dump(exclude={"model"}, exclude_none=True, by_alias=True)}
    if params.tool_choice == "required" and params.tools and len(params.tools) == 1:
        # As Friday does: models that do not know "required" understand a name.
        body["tool_choice"] = {"type": "function", "function": {"name": params.tools[0].function.name}}
    if stream:
        body["stream"] = True
        body["stream_options"] = {"include_usage": True}
    if direct:
        body["provider"] = {"max_price": constants.ZERO_PRICE, **(demands or {})}
        body["usage"] = {"include": True}
    return json.dumps(body, separators=(",", ":")).encode("ascii")
