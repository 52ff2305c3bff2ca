"""Asks the ports that the edge publishes as anybody could: what is open answers, everything else is closed."""

from collections.abc import Iterator, Mapping

import httpx

from components.settings.stack import StackSettings
from ops.checks.report import Check, compared
from ops.hosts.testinfra_host import TestHost

_CHAT = b'{"model": "any", "messages": []}'
# Each is one of LiteLLM's or of a part's own, and none of a user's business.
_CLOSED_AT_GATEWAY = (
    "GET /",
    "GET /ui/",
    "GET /docs",
    "GET /openapi.json",
    "GET /metrics",
    "GET /model/info",
    "GET /config/yaml",
    "GET /openrouter/v1/key",
    "GET /key/info",
    "POST /key/generate",
    "POST /config/update",
    "POST /v1/responses",
    "POST /v1/embeddings",
)


def checks(place: TestHost, settings: StackSettings) -> list[Check]:
    """Ask both ports; no request costs quota, because none gets as far as a model."""
    edge = settings.edge
    users = {f"GET {settings.friday.health_path}": 200, "GET /metrics": 404}
    gateway = {"GET /health": 200, "POST /chat/completions": 401, **dict.fromkeys(_CLOSED_AT_GATEWAY, 404)}
    if not settings.litellm.replicas:
        gateway = dict.fromkeys(_CLOSED_AT_GATEWAY, 404)
    return [
        _asked(place, edge.bind_address, edge.port, "users reach Friday and not its metrics", users),
        _asked(place, "127.0.0.1", edge.gateway_port, "only chat is open, and only with the key", gateway),
    ]


def _asked(place: TestHost, bound: str, port: int, what: str, expected: Mapping[str, int]) -> Check:
    name = f"port {port}: {what}"
    with place.client(bound, port) as client:
        if client is None:
            return compared("edge", name, skipped="this port is for the host itself, and over tcp:// it is not reached")
        return compared("edge", name, tuple(_problems(client, expected)))


def _problems(client: httpx.Client, expected: Mapping[str, int]) -> Iterator[str]:
    for request, status in expected.items():
        method, path = request.split()
        content = _CHAT if method == "POST" else None
        headers = {"content-type": "application/json"} if content else {}
        try:
            found = client.request(method, path, content=content, headers=headers).status_code
        except httpx.HTTPError as error:
            yield f"{request}: no answer ({error or type(error).__name__})"
            continue
        if found != status:
            yield f"{request}: answered with {found}, should be {status}"
