"""What OpenRouter says when it refuses a request, by cause: one table for the routes, the faults and the tests.

The words are those that its documentation and public reports of 2026 quote; docs/SIMULATOR.md lists the causes.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from serving.causes import Fault
from simulator.errors import PROVIDER_ERROR, ApiError
from simulator.faults import RefusalKind

_PRIVACY_PAGE = "https://openrouter.ai/settings/privacy"
_KEYS_PAGE = "https://openrouter.ai/settings/keys"
_CREDITS_PAGE = "https://openrouter.ai/settings/credits"
_INTEGRATIONS_PAGE = "https://openrouter.ai/settings/integrations"
_ROUTING_PAGE = "https://openrouter.ai/docs/guides/routing/provider-selection"
_BUSY = (
    f"{{model}} is temporarily rate-limited upstream. Please retry shortly, or add your own key: {_INTEGRATIONS_PAGE}"
)
_TOOL_NAME = {
    "message": "Invalid 'tools[{index}].function.name': string does not match pattern. "
    "Expected a string that matches the pattern '{pattern}'.",
    "type": "invalid_request_error",
    "param": "tools[{index}].function.name",
    "code": "invalid_value",
}
_SCHEMA = {
    "message": "Invalid schema for response_format 'answer': In context=(), 'additionalProperties' is required "
    "to be supplied and to be false.",
    "type": "invalid_request_error",
    "param": "response_format",
    "code": None,
}
_REASONING = "Reasoning is mandatory for this endpoint and cannot be disabled."


def _routed(step: str) -> dict[str, Any]:
    """Metadata of a refusal by the router: the step after which no endpoint was left."""
    return {"routing_funnel": [{"step": "Initial Endpoints", "endpoint_count": 1}], "failed_routing_step": step}


def _provider(raw: object, **more: Any) -> dict[str, Any]:
    """Metadata of a refusal by the provider; its own words are a string, even when they are JSON."""
    words = raw if isinstance(raw, str) else json.dumps({"error": raw})
    return {"raw": words, "provider_name": "{provider}", "is_byok": False, **more}


@dataclass(frozen=True)
class Row:
    """One refusal. Names in braces are filled in; `known` has those that a fault does not know from the request."""

    cause: Fault
    status: int
    message: str
    metadata: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)


ROWS: dict[RefusalKind, Row] = {
    "data_policy": Row(
        Fault.ACCOUNT,
        404,
        "No endpoints found matching your data policy ({policy}). Configure: " + _PRIVACY_PAGE,
        _routed("Filter by Data Policy"),
        known={"policy": "Free model publication"},
    ),
    "guardrail": Row(
        Fault.ACCOUNT,
        404,
        f"No endpoints available matching your guardrail restrictions and data policy. Configure: {_PRIVACY_PAGE}",
        _routed("Filter by Guardrails"),
    ),
    "key_refused": Row(Fault.ACCOUNT, 401, "User not found."),
    "key_limit": Row(Fault.ACCOUNT, 403, f"Key limit exceeded (daily limit). Manage it using {_KEYS_PAGE}"),
    "negative_balance": Row(
        Fault.ACCOUNT,
        402,
        f"Insufficient credits. Add more using {_CREDITS_PAGE}",
        {
            "limit_source": "openrouter_credits",
            "remedy_hint": f"Add credits at {_CREDITS_PAGE}.",
            "provider_name": None,
        },
    ),
    "retired": Row(Fault.MODEL, 404, "No endpoints found for {model}."),
    "closed": Row(
        Fault.MODEL,
        403,
        "{model} is only available on agentic harnesses. Try plugging it into a coding agent or productivity app "
        "listed on https://openrouter.ai/apps",
        _routed("Gate Free Endpoints by Agentic Harness"),
    ),
    "region": Row(Fault.MODEL, 403, "{model} is not available in your region"),
    "model_minute": Row(
        Fault.PROVIDER,
        429,
        "Rate limit exceeded",
        {"headers": {"X-RateLimit-Limit": "20"}, "limit_source": "openrouter_per_model_minute", "provider_name": None},
    ),
    "shared_pool": Row(
        Fault.PROVIDER,
        429,
        PROVIDER_ERROR,
        _provider(
            _BUSY,
            limit_source="upstream_provider_shared_pool",
            remedy_hint=f"Retry shortly, add your own provider key ({_INTEGRATIONS_PAGE}), or use another provider.",
            previous_errors=[{"code": 429, "message": PROVIDER_ERROR, "provider_name": "{provider}", "raw": _BUSY}],
        ),
    ),
    "overloaded": Row(Fault.PROVIDER, 503, PROVIDER_ERROR, _provider("no instances available")),
    "tools": Row(
        Fault.REQUEST,
        404,
        'No endpoints found that support tool use. Try disabling "{tool}". '
        f"To learn more about provider routing, visit: {_ROUTING_PAGE}",
        _routed("Filter by Tool Compatibility"),
        known={"tool": "get_weather"},
    ),
    "image": Row(Fault.REQUEST, 404, "No endpoints found that support image input", _routed("Filter by Image Support")),
    "audio": Row(Fault.REQUEST, 404, "No endpoints found that support input audio", _routed("Filter by Audio Support")),
    "parameters": Row(
        Fault.REQUEST,
        404,
        f"No endpoints found that can handle the requested parameters. To learn more, visit: {_ROUTING_PAGE}",
        _routed("Filter by Parameters"),
    ),
    "context": Row(
        Fault.REQUEST,
        400,
        "This endpoint's maximum context length is {limit} tokens. However, you requested about {needed} tokens "
        "({text} of text input, {output} in the output).",
        known={"limit": "8192", "needed": "9000", "text": "8000", "output": "1000"},
    ),
    "tool_name": Row(
        Fault.REQUEST,
        400,
        PROVIDER_ERROR,
        _provider(_TOOL_NAME),
        known={"index": "0", "pattern": "^[a-zA-Z0-9_-]{1,64}$"},
    ),
    "schema": Row(Fault.REQUEST, 400, PROVIDER_ERROR, _provider(_SCHEMA)),
    "moderation": Row(
        Fault.REQUEST,
        403,
        "{model} requires moderation on {provider}. Your input was flagged",
        {
            "reasons": ["violence"],
            "flagged_input": "...",
            "provider_name": "{provider}",
            "model_slug": "{model}",
        },
    ),
    "reasoning": Row(
        Fault.REQUEST,
        400,
        _REASONING,
        {"provider_name": None, "previous_errors": [{"code": 400, "message": _REASONING}]},
    ),
}


def refused(kind: RefusalKind, model: str, provider: str, **names: str) -> ApiError:
    """Return the error of a refusal; `names` fill in what the row's words leave open."""
    row = ROWS[kind]
    filled = {**row.known, "model": model, "provider": provider, **names}
    return ApiError(row.status, _fill(row.message, filled), _fill(row.metadata, filled), dict(row.headers))


def _fill(value: Any, names: dict[str, str]) -> Any:
    # Not str.format: the providers' words are JSON and patterns, which have braces of their own.
    match value:
        case str():
            for name, text in names.items():
                value = value.replace(f"{{{name}}}", text)
            return value
        case dict():
            return {key: _fill(each, names) for key, each in value.items()}
        case list():
            return [_fill(each, names) for each in value]
    return value
