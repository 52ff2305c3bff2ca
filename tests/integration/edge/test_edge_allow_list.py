"""What reaches LiteLLM through the edge, byte by byte, and what does not."""

import pytest

from tests.integration.edge.stage import KEY, Stage, echoed, post

pytestmark = [pytest.mark.engine, pytest.mark.beside]

CLOSE = "Host: edge\r\nConnection: close\r\n\r\n"
# Paths are compared as they were sent. Each way to write a path differently is shown with one that is allowed when it
# is written plainly, so that whoever takes it for that serves nothing that it should not.
REFUSED_TARGETS = [
    "GET /",
    "GET /metrics",
    "GET /openapi.json",
    "GET /ui/",
    "GET /health/readiness/details",
    "GET /health/services",
    "GET /health/summary",
    "GET /model/info",
    "GET /v1/x/../models",
    "GET /v1/./models",
    "GET /v1/%2e/models",
    "GET /v1\\models",
    "GET /v1/models/",
    "GET /v1/models/../model/info",
    "GET /v1/models/a;b",
    "GET //v1/models",
    "GET /v1//models",
    "GET /v1%2fmodels",
    "GET /v1/model%73",
    "GET /V1/Models",
    "GET /v1/models%20",
    "GET /v1/models;x=1",
    "GET /v1/models#x",
    "GET v1/models",
    "GET http://litellm:4000/v1/models",
    "GET HTTP://litellm/v1/models",
    "GET /openrouter/v1/key",
    "GET /chat/completions",
    "OPTIONS *",
    "TRACE /v1/models",
    "CONNECT litellm:4000",
    "DELETE /v1/models",
    "PUT /chat/completions",
    "POST /v1/models",
    "POST /health",
    "POST /health/liveliness",
    "POST /model/new",
    "POST /key/generate",
    "POST /v1/responses",
    "POST /v1/messages",
    "POST /embeddings",
    "POST /v1/completions",
    "POST /utils/transform_request",
    "POST /openrouter/v1/chat/completions",
    "POST /v1/chat/completions/",
    "POST /openai/deployments/paid/chat/completions",
    "get /v1/models",
    "post /chat/completions",
]

CHAT = "POST /chat/completions HTTP/1.1"
READ = "GET /v1/models HTTP/1.1"


def framed(request: str, *headers: str, body: str = "") -> bytes:
    """Return a request with just these headers after Host, however odd they are."""
    lines = [request, "Host: e", "Connection: close", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


# Requests whose end could be seen in two places are HAProxy's own matter, which has tests of its own for them. Asked
# here is what our configuration adds: nothing but a chat has a body, which is not compressed; there is one host.
REFUSED_FRAMING = {
    "compressed": framed(CHAT, "Content-Encoding: gzip", "Content-Length: 2", body="{}"),
    "chunked get": framed(READ, "Transfer-Encoding: chunked", body="0\r\n\r\n"),
    "two hosts": framed(READ, "Host: other"),
    "not http": b"hello\r\n\r\n",
}

STEERING_HEADERS = [
    "x-litellm-timeout: 1",
    "x-litellm-stream-timeout: 1",
    "x-litellm-num-retries: 5",
    "x-litellm-tags: paid",
    "x-litellm-api-key: sk-other",
    "x-litellm-call-id: forged",
    "X-LITELLM-SPEND-LOGS-METADATA: {}",
    "litellm-disable-message-redaction: true",
    "x_litellm_tags: paid",
    "x-pass-authorization: Bearer other",
    "api-key: other",
    "x-api-key: other",
    "x-goog-api-key: other",
    "anthropic-beta: x",
    "openai-organization: other",
    "x-forwarded-for: 1.2.3.4",
    "x-forwarded-host: evil",
    "x-http-method-override: DELETE",
    "x-original-url: /model/info",
    "forwarded: for=1.2.3.4",
    "cookie: token=other",
    "upgrade: websocket",
    "http2-settings: AAMAAABkAARAAAAAAAIAAAAA",
]


@pytest.mark.parametrize("port", ["internal", "host"])
@pytest.mark.parametrize("target", REFUSED_TARGETS)
def test_refuses_what_is_not_on_the_list(shared_stage: Stage, port: str, target: str) -> None:
    before = shared_stage.served("litellm")
    length = "Content-Length: 0\r\n" if target.startswith(("POST", "PUT", "post")) else ""
    answer = shared_stage.raw(port, f"{target} HTTP/1.1\r\n{length}{CLOSE}".encode())
    assert answer.startswith(("HTTP/1.1 404", "HTTP/1.1 400", "HTTP/1.1 405"))
    assert shared_stage.served("litellm") == before


@pytest.mark.parametrize("name", REFUSED_FRAMING)
def test_refuses_a_request_without_a_clear_end(shared_stage: Stage, name: str) -> None:
    before = shared_stage.served("litellm")
    answer = shared_stage.raw("internal", REFUSED_FRAMING[name])
    assert not answer or answer.startswith(("HTTP/1.1 400", "HTTP/1.1 404", "HTTP/1.1 415"))
    assert shared_stage.served("litellm") == before


def test_a_pipelined_request_is_judged_by_itself(shared_stage: Stage) -> None:
    allowed = "GET /v1/models HTTP/1.1\r\nHost: e\r\n\r\n"
    forbidden = f"GET /model/info HTTP/1.1\r\n{CLOSE}"
    answer = shared_stage.raw("internal", (allowed + forbidden).encode())
    assert answer.count("HTTP/1.1 200") == 1
    assert answer.count("HTTP/1.1 404") == 1


@pytest.mark.parametrize("path", ["/chat/completions", "/v1/chat/completions"])
@pytest.mark.parametrize(("port", "credential"), [("internal", f"Bearer {KEY}"), ("host", None)])
def test_chat_gets_through(shared_stage: Stage, path: str, port: str, credential: str | None) -> None:
    seen = echoed(shared_stage.raw(port, post(path, '{"model": "m"}')))
    assert (seen["method"], seen["target"], seen["length"]) == ("POST", path, 14)
    assert dict(seen["headers"]).get("authorization") == credential


@pytest.mark.parametrize(
    ("path", "upstream"),
    [
        ("/models", "/models"),
        ("/v1/models", "/v1/models"),
        ("/health/liveliness", "/health/liveliness"),
        ("/health/readiness", "/health/readiness"),
        ("/health", "/health/liveliness"),
        ("/health?model=paid", "/health/liveliness"),
        ("/v1/models/openrouter/google/gemma-4-31b-it:free?x=1", "/v1/models/openrouter/google/gemma-4-31b-it:free"),
        ("/models/openrouter%2Fgoogle%2Fgemma", "/models/openrouter%2Fgoogle%2Fgemma"),
    ],
)
def test_reading_gets_through(shared_stage: Stage, path: str, upstream: str) -> None:
    assert echoed(shared_stage.get("host", path))["target"] == upstream


@pytest.mark.parametrize(("port", "header"), [("internal", ""), ("host", "Authorization: Bearer mine\r\n")])
def test_health_is_the_gateways_own_word_for_who_has_a_key(shared_stage: Stage, port: str, header: str) -> None:
    seen = echoed(shared_stage.raw(port, f"GET /health?model=x HTTP/1.1\r\n{header}{CLOSE}".encode()))
    assert seen["target"] == "/health/summary"
    assert "authorization" in dict(seen["headers"])


def test_the_query_is_dropped(shared_stage: Stage) -> None:
    seen = echoed(shared_stage.raw("internal", post("/chat/completions?model=openai/gpt-4o")))
    assert seen["target"] == "/chat/completions"


@pytest.mark.parametrize("port", ["internal", "host"])
def test_a_callers_own_credential_is_left_alone(shared_stage: Stage, port: str) -> None:
    seen = echoed(shared_stage.raw(port, post("/chat/completions", "{}", "Authorization: Bearer mine")))
    assert [value for name, value in seen["headers"] if name == "authorization"] == ["Bearer mine"]


@pytest.mark.parametrize("header", STEERING_HEADERS)
def test_steering_headers_do_not_arrive(shared_stage: Stage, header: str) -> None:
    seen = echoed(
        shared_stage.raw("internal", post("/chat/completions", "{}", header, "Content-Type: application/json"))
    )
    name, value = header.lower().split(": ", 1)
    headers = {key.lower(): text.lower() for key, text in seen["headers"]}
    assert headers.get(name) != value
    assert headers["content-type"] == "application/json"
    assert headers["host"] == "litellm"


def test_the_callers_request_id_becomes_the_gateways(shared_stage: Stage) -> None:
    seen = dict(echoed(shared_stage.raw("internal", post("/chat/completions", "{}", "X-Request-Id: abc-1")))["headers"])
    assert seen["x-request-id"] == "abc-1"


@pytest.mark.parametrize("port", ["internal", "host"])
def test_the_callers_feature_reaches_the_gateways_cache(shared_stage: Stage, port: str) -> None:
    answer = shared_stage.raw(port, post("/chat/completions", "{}", "X-Friday-Feature: email_labels"))
    assert dict(echoed(answer)["headers"])["x-friday-feature"] == "email_labels"


def test_an_unfit_request_id_is_replaced(shared_stage: Stage) -> None:
    seen = dict(echoed(shared_stage.raw("internal", post("/chat/completions", "{}", 'X-Request-Id: "},{"')))["headers"])
    assert len(seen["x-request-id"]) == 36


def test_the_answer_tells_nothing_of_the_inside(shared_stage: Stage) -> None:
    head = shared_stage.raw("host", post("/chat/completions")).split("\r\n\r\n", 1)[0].lower()
    assert "content-type: application/json" in head
    for leak in ("x-litellm-", "llm_provider", "server:"):
        assert leak not in head


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "//metrics", "/%6detrics", "/metrics?x=1", "/metrics%2f"])
def test_users_do_not_see_fridays_metrics(shared_stage: Stage, path: str) -> None:
    assert shared_stage.get("users", path).startswith("HTTP/1.1 404")


def test_users_reach_friday(shared_stage: Stage) -> None:
    seen = echoed(shared_stage.get("users", "/api/chat?x=1"))
    assert (seen["target"], "friday" in seen["replica"]) == ("/api/chat?x=1", True)


def test_operations_port_serves_metrics_only(shared_stage: Stage) -> None:
    assert "haproxy_backend_active_servers" in shared_stage.get("operations", "/metrics")
    assert shared_stage.get("operations", "/stats").startswith("HTTP/1.1 404")
