"""The rules of the gateway: routes, credentials, models and the fields of a chat request.

Pure rules without I/O and without LiteLLM. They are applied by the filter in front of LiteLLM (`request_filter`), by
the hooks inside it (`guard`) and by the transport below it (`upstream`).

There are three kinds of chat fields. Known fields are checked and rebuilt (`chat_fields`), so that nothing unknown
passes inside them. All others are dropped: the request is built anew, so they can do nothing, and a client that sends
one more harmless option (an agent's `metadata`, OpenAI's `store`) should get its answer. Of those, the fields of
`STEERING` are refused with 403 when they hold a value, for who sends one expects to be obeyed.
"""

import hmac
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from gateway import chat_fields
from gateway.field_checks import FieldError


class Access(Enum):
    """The key that a route needs."""

    OPEN = "no key"
    CHAT = "the gateway key"
    OPS = "the ops key"


ROUTES: Mapping[str, tuple[str, Access]] = {
    "/health/liveliness": ("GET", Access.OPEN),
    "/health/liveness": ("GET", Access.OPEN),
    "/health/readiness": ("GET", Access.OPEN),
    "/chat/completions": ("POST", Access.CHAT),
    "/v1/chat/completions": ("POST", Access.CHAT),
    "/models": ("GET", Access.CHAT),
    "/v1/models": ("GET", Access.CHAT),
    "/health/summary": ("GET", Access.CHAT),
    "/metrics": ("GET", Access.OPS),
    "/metrics/": ("GET", Access.OPS),
    "/health/readiness/details": ("GET", Access.OPS),
    "/health": ("GET", Access.OPS),
}
"""All routes that are served, matched exactly. Every other one is answered with 404."""

FREE_ROUTER = "openrouter/openrouter/free"
"""LiteLLM's id of OpenRouter's router of free models, the only one without ":free" that is called."""

PRICES = frozenset({"prompt", "completion", "request", "image"})
"""The prices that a call asks to be 0: OpenRouter's `provider.max_price`."""

_PROVIDER_FIELDS = frozenset({"max_price", "data_collection", "zdr"})
_SENT = frozenset({*chat_fields.PASSED, "usage", "provider"})
"""What a call may hold besides its model: what clients may send, and what LiteLLM and the stack add for each call."""

_OTHER_MODELS = frozenset({"model", "models", "route", "plugins", "web_search_options"})

HEALTH_PATHS = frozenset(path for path, (_, access) in ROUTES.items() if access is Access.OPEN)

STEERING: Mapping[str, frozenset[str]] = {
    "which models are asked is the gateway's setting": frozenset(
        {
            *("models", "fallbacks", "default_fallbacks", "context_window_fallbacks", "content_policy_fallbacks"),
            *("context_window_fallback_dict", "model_list", "deployment_id", "specific_deployment", "route", "router"),
            *("user_config", "configurable", "preset", "prompt_id", "prompt_variables", "litellm_params"),
        }
    ),
    "where a request goes, and as whom, is the gateway's setting": frozenset(
        {
            *("provider", "custom_llm_provider", "base_url", "client", "organization", "credential_name"),
            *("litellm_credential_name", "secret_fields"),
        }
    ),
    "further fields, headers and queries are not passed on": frozenset(
        {"extra_body", "extra_headers", "extra_query", "headers"}
    ),
    "services that cost money or reach other hosts are not used": frozenset(
        {"plugins", "web_search_options", "mcp_servers", "guardrails", "vector_store_ids"}
    ),
    "the price is zero": frozenset({"max_price", "input_cost_per_token", "output_cost_per_token"}),
}
"""Fields that are refused while they hold a value, by the reason that the client is given."""

STEERING_PREFIXES: Mapping[str, str] = {
    **dict.fromkeys(("api_", "aws_", "azure_", "vertex_", "watsonx_", "user_api_key"), "keys and hosts are settings"),
    "mock_": "every answer is a model's",
}
"""The same for families of fields, which grow with LiteLLM."""

_SET_BY_THE_STACK = frozenset({"api_key", "api_base", "extra_body"})
"""What a model's config gives each call; `check_deployment` and `check_sent` compare it."""

_EMPTY: tuple[object, ...] = (None, False, "", [], {})


class RefusedError(Exception):
    """A request that is refused: an HTTP status and an error body in OpenAI's form."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        retry_after: int | None = None,
        allow: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.retry_after = retry_after
        self.allow = allow


@dataclass(frozen=True)
class Keys:
    """The credentials. Callers send the gateway's key, the edge adds its own for callers without one: both open chats.

    The operators' key is for health details and metrics only.
    """

    gateway: str = field(repr=False)
    edge: str = field(repr=False)
    ops: str = field(repr=False)


def access_of(method: str, path: str) -> Access:
    """Return the key that a route needs. HEAD is answered as GET, without the body.

    Raises `RefusedError`: 404 for a path that is not served, 405 with the methods to use for another method.
    """
    allowed = methods_of(path)
    if method not in allowed:
        raise RefusedError(
            405, "method_not_allowed", f"this path answers {allowed[0]} only", allow=", ".join((*allowed, "OPTIONS"))
        )
    return ROUTES[path][1]


def methods_of(path: str) -> tuple[str, ...]:
    """Return the methods of a path. Raises `RefusedError`: 404 for a path that is not served."""
    if path not in ROUTES:
        raise RefusedError(404, "not_found", "this gateway serves chat completions, the list of models and its health")
    method = ROUTES[path][0]
    return ("GET", "HEAD") if method == "GET" else (method,)


def authorize(access: Access, authorization: str | None, keys: Keys) -> None:
    """Check an Authorization header.

    Raises `RefusedError`: 401 for a missing or unknown key, 403 for a key of the other kind.
    """
    if access is Access.OPEN:
        return
    scheme, _, token = (authorization or "").partition(" ")
    presented = token.strip().encode() if scheme.lower() == "bearer" else b""
    # All comparisons always run, so that the response time reveals nothing about the keys.
    is_gateway = hmac.compare_digest(presented, keys.gateway.encode())
    is_edge = hmac.compare_digest(presented, keys.edge.encode())
    is_ops = hmac.compare_digest(presented, keys.ops.encode())
    if not (is_gateway or is_edge or is_ops):
        raise RefusedError(401, "invalid_api_key", "an Authorization header with a valid bearer key is needed")
    if is_ops != (access is Access.OPS):
        raise RefusedError(403, "forbidden", f"this path is for {access.value}")


def clean_chat(body: object, models: Collection[str]) -> dict[str, Any]:
    """Return the request that goes to LiteLLM: known fields only, checked.

    `models` are the names that clients may send. Raises `RefusedError` with 403 for a field of `STEERING` and 400 for
    anything malformed or a model that is not served, with the path of what is wrong.
    """
    if not isinstance(body, dict):
        raise RefusedError(400, "invalid_json", "the body should be a JSON object")
    for name, value in body.items():
        reason = steering(name, value)
        if reason:
            told = shown(name)
            raise RefusedError(403, "field_not_allowed", f"the field {told} is not allowed here: {reason}", param=told)
    check_model(body.get("model"), models)
    try:
        return {"model": body["model"], **chat_fields.clean(body)}
    except FieldError as error:
        raise RefusedError(400, "invalid_request", str(error), param=error.path) from None


def steering(name: str, value: object) -> str | None:
    """Return why a field is refused, None for one that is not. A field without a value wants nothing."""
    if value in _EMPTY:
        return None
    for reason, names in STEERING.items():
        if name in names:
            return reason
    return next((reason for prefix, reason in STEERING_PREFIXES.items() if name.startswith(prefix)), None)


def check_steering(call: Mapping[str, Any]) -> None:
    """Raise `RefusedError` (403) if a call to a model holds a field of `STEERING` that the stack does not set itself.

    LiteLLM obeys some of them whatever the call's address and price limit are: `base_url` stands for the address, and
    `web_search_options` is a service that costs money with a free model too.
    """
    for name, value in call.items():
        if name not in _SET_BY_THE_STACK and (reason := steering(name, value)):
            raise RefusedError(403, "field_not_allowed", f"no call is made with {shown(name)}: {reason}")


def check_model(model: object, models: Collection[str]) -> None:
    """Raise `RefusedError` (400) unless `model` is exactly one served name; a list with commas is refused."""
    if not isinstance(model, str) or model not in models:
        message = "this model is not served; GET /v1/models lists those that are"
        raise RefusedError(400, "model_not_found", message, param="model")


def is_free(model: object) -> bool:
    """Return whether LiteLLM's id of a model is one that may be called: a free one, or the router of free ones."""
    return isinstance(model, str) and (model == FREE_ROUTER or (model.endswith(":free") and "," not in model))


def asks_for_nothing(extra_body: object) -> bool:
    """Return whether a call asks OpenRouter for a price of 0, and chooses no provider or other model."""
    if not isinstance(extra_body, dict) or extra_body.keys() & _OTHER_MODELS:
        return False
    provider = extra_body.get("provider")
    if not isinstance(provider, dict) or not provider.keys() <= _PROVIDER_FIELDS:
        return False
    prices = provider.get("max_price")
    if not isinstance(prices, dict) or not prices.keys() >= PRICES:
        return False
    return all(price == 0 and not isinstance(price, bool) for price in prices.values())


def check_deployment(model: object, api_base: object, upstream: str, extra_body: object) -> None:
    """Raise `RefusedError` (403) unless the call goes to a free model at the upstream, for a price of 0.

    `extra_body` is what the call adds to OpenRouter's body. The id does not show that nothing is charged: a model may
    keep its ":free" and get a price, and the router picks for itself.
    """
    if not is_free(model):
        raise RefusedError(403, "not_free", "only free models are called from here")
    if not asks_for_nothing(extra_body):
        raise RefusedError(403, "not_free", "a call from here asks for a price of 0")
    if api_base != upstream:
        raise RefusedError(403, "foreign_host", "only the configured upstream is called from here")


@dataclass(frozen=True)
class Sent:
    """A call as it is about to leave."""

    model: str
    stream: bool


def check_sent(method: str, url: str, body: bytes, upstream: str, models: Collection[str]) -> Sent:
    """Return what is about to leave.

    Raises `RefusedError` (403) unless it is a chat at the upstream with one of `models`, which refuses rather than
    charges, and asks for nothing else: fields that nobody knows, and tools that OpenRouter runs itself, may cost money.
    """
    if method != "POST" or url != f"{upstream}/chat/completions":
        raise RefusedError(403, "foreign_host", "only chats at the configured upstream are sent from here")
    try:
        sent = json.loads(body)
        model = sent.pop("model")
        free = asks_for_nothing(sent)
        known = sent.keys() <= _SENT and all(tool["type"] == "function" for tool in sent.get("tools") or ())
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RefusedError(403, "not_free", "only chats with a price limit of 0 are sent from here") from None
    if not free or model not in models:
        raise RefusedError(403, "not_free", "only the stack's free models are sent from here")
    if not known:
        raise RefusedError(403, "not_clean", "only known chat fields are sent from here")
    return Sent(model, bool(sent.get("stream")))


def shown(name: str) -> str:
    """Return a client's field name without unprintable characters, for an error message."""
    return "".join(char for char in name[:64] if char.isprintable())
