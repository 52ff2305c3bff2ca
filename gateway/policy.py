"""The rules of the gateway: routes, credentials, models and the fields of a chat request.

Pure rules without I/O and without LiteLLM. They are applied twice: by the filter in front of LiteLLM
(`request_filter`) and by the hooks inside it (`guard`).

There are three kinds of chat fields. Known fields are checked and rebuilt, so that nothing unknown passes inside
them. Fields that choose another model, host, key, price or behaviour of the gateway are refused with 403 and their
name, because such a request may be an attack. All others are dropped: the free models do not use them, and a client
that sends one more harmless option (Friday's `thinking`, OpenAI's `store`) should get its answer.
"""

import hmac
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from gateway.chat_fields import PASSED, FieldError

MAX_BODY_BYTES = 4 * 1024 * 1024  # a long conversation with a picture or two; the models' contexts are far smaller
MAX_OUTPUT_TOKENS = 32768  # what Friday's client asks for; a larger number is reduced to it


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
"""All routes that are served, matched exactly. Every other route of LiteLLM is answered with 404."""

CHAT_CALLS = frozenset({"completion", "acompletion"})  # LiteLLM's names for a chat
HEALTH_PATHS = frozenset(path for path, (_, access) in ROUTES.items() if access is Access.OPEN)

REFUSED_FIELDS = frozenset(
    {
        # another model, host, provider, key or route
        *("api_base", "api_key", "api_version", "base_url", "custom_llm_provider", "deployment_id", "extra_body"),
        *("extra_headers", "fallbacks", "headers", "model_list", "models", "organization", "provider", "route"),
        *("router", "specific_deployment", "user_config", "context_window_fallback_dict", "default_fallbacks"),
        *("content_policy_fallbacks", "context_window_fallbacks", "client", "credential_name", "configurable"),
        # services that cost money or reach other hosts
        *("plugins", "web_search_options", "transforms", "guardrails", "prompt_id", "prompt_variables"),
        *("mcp_servers", "input_cost_per_token", "output_cost_per_token", "max_price", "functions"),
        *("function_call", "vector_store_ids"),
        # the gateway's own bookkeeping and behaviour
        *("metadata", "tags", "proxy_server_request", "num_retries", "max_retries", "retry_policy", "no-log"),
        *("disable_fallbacks", "priority", "cache_key", "secret_fields", "callbacks", "success_callback"),
    }
)
REFUSED_PREFIXES = ("api_", "aws_", "azure_", "litellm_", "mock_", "user_api_key", "vertex_", "watsonx_")


class RefusedError(Exception):
    """A request that is refused: an HTTP status and an error body in OpenAI's form."""

    def __init__(
        self, status: int, code: str, message: str, *, param: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.retry_after = retry_after


@dataclass(frozen=True)
class Keys:
    """The credentials. Callers send the gateway's key, the edge adds its own for callers without one: both open chats.

    The operators' key is for health details and metrics only.
    """

    gateway: str = field(repr=False)
    edge: str = field(repr=False)
    ops: str = field(repr=False)


def access_of(method: str, path: str) -> Access:
    """Return the key that a route needs.

    Raises `RefusedError`: 404 for a path that is not served, 405 for another method.
    """
    if path not in ROUTES:
        raise RefusedError(404, "not_found", "this gateway serves chat completions, the list of models and its health")
    allowed, access = ROUTES[path]
    if method != allowed:
        raise RefusedError(405, "method_not_allowed", f"this path answers {allowed} only")
    return access


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

    `models` are the names that clients may send. Raises `RefusedError` with 403 for a field of
    `REFUSED_FIELDS` and 400 for anything malformed or a model that is not served.
    """
    if not isinstance(body, dict):
        raise RefusedError(400, "invalid_json", "the body should be a JSON object")
    for name in body:
        if is_refused(name):
            told = shown(name)
            raise RefusedError(403, "field_not_allowed", f"the field {told} is not allowed here", param=told)
    check_model(body.get("model"), models)
    if body.get("messages") is None:
        raise RefusedError(400, "invalid_request", "messages should be a list of messages", param="messages")
    cleaned: dict[str, Any] = {"model": body["model"]}
    for name, check in PASSED.items():
        if body.get(name) is not None:
            try:
                cleaned[name] = check(body[name])
            except FieldError as error:
                raise RefusedError(400, "invalid_request", f"{name} {error}", param=name) from None
    for name in ("max_tokens", "max_completion_tokens"):
        if name in cleaned:
            cleaned[name] = min(cleaned[name], MAX_OUTPUT_TOKENS)
    return cleaned


def check_clean(body: object, models: Collection[str]) -> None:
    """Raise `RefusedError` unless `body` is what `clean_chat` makes."""
    if clean_chat(body, models) != body:
        raise RefusedError(403, "not_clean", "only known chat fields are allowed here")


def check_call(kind: str, model: object, models: Collection[str]) -> None:
    """Raise `RefusedError` unless LiteLLM is about to run a chat with one of the served models."""
    if kind not in CHAT_CALLS:
        raise RefusedError(403, "not_chat", "only chat completions are served")
    check_model(model, models)


def is_refused(name: str) -> bool:
    """Return whether a field of a request body is refused."""
    return name in REFUSED_FIELDS or name.startswith(REFUSED_PREFIXES)


def check_model(model: object, models: Collection[str]) -> None:
    """Raise `RefusedError` (400) unless `model` is exactly one served name; a list with commas is refused."""
    if not isinstance(model, str) or model not in models:
        message = "this model is not served; GET /v1/models lists those that are"
        raise RefusedError(400, "model_not_found", message, param="model")


def check_deployment(model: object, api_base: object, upstream: str) -> None:
    """Raise `RefusedError` (403) unless the call goes to a free model at the upstream."""
    if not isinstance(model, str) or not model.endswith(":free") or "," in model:
        raise RefusedError(403, "not_free", "only free models are called from here")
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
    charges.
    """
    if method != "POST" or url != f"{upstream}/chat/completions":
        raise RefusedError(403, "foreign_host", "only chats at the configured upstream are sent from here")
    try:
        sent = json.loads(body)
        model, prices = sent["model"], sent["provider"]["max_price"]
        free = prices.keys() >= {"prompt", "completion"} and not any(prices.values())
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RefusedError(403, "not_free", "only chats with a price limit of 0 are sent from here") from None
    if not free or model not in models:
        raise RefusedError(403, "not_free", "only the stack's free models are sent from here")
    return Sent(model, bool(sent.get("stream")))


def shown(name: str) -> str:
    """Return a client's field name without unprintable characters, for an error message."""
    return "".join(char for char in name[:64] if char.isprintable())
