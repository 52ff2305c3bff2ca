"""The HTTP API: the whole application on a real server, between two fake upstreams."""

import asyncio
import json
import re
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import uvicorn

from friday.llm.errors import LlmError
from friday.service.app import create_app
from friday.service.envelope import MAX_DISCARDED_BYTES, MAX_REQUEST_BYTES
from friday.service.models import MAX_MESSAGE_CHARS
from friday.service.replies import ERRORS
from friday.service.settings import ServiceSettings, load_settings
from tests.unit.friday.given import DIRECT_MODEL, ENVIRONMENT, KEY
from tests.unit.friday.upstream import Upstream, close, delta, good_answer, hang, plain, stream

pytestmark = pytest.mark.anyio
ON, OFF = 7, 77


def settings(gateway: Upstream, direct: Upstream, **environ: str) -> ServiceSettings:
    rollout = {"ENABLE_LITELLM": "true", "LITELLM_ROLLOUT_PERCENTAGE": "50", "LLM_DEADLINE_SECONDS": "3"}
    urls = {"LITELLM_BASE_URL": gateway.url, "OPENROUTER_BASE_URL": direct.url}
    return load_settings({**ENVIRONMENT, **rollout, **urls, **environ})


async def serve(wanted: ServiceSettings) -> AsyncIterator[httpx.AsyncClient]:
    """The application on uvicorn, in a thread of its own so that a stuck one fails one test only."""
    server = uvicorn.Server(uvicorn.Config(create_app(wanted), port=0, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        yield http
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture
async def http(gateway: Upstream, direct: Upstream) -> AsyncIterator[httpx.AsyncClient]:
    async for client in serve(settings(gateway, direct)):
        yield client


def chat(user_id: int | None = ON, **more: Any) -> dict[str, Any]:
    return {"user_id": user_id, "message": "Hi"} | more


async def test_each_path_says_so(http: httpx.AsyncClient) -> None:
    on = await http.post("/api/chat", json=chat(ON), headers={"x-request-id": "mine-1"})
    off = await http.post("/api/chat", json=chat(OFF))
    gateway_model = "openrouter/z-ai/glm-4.5-air:free"
    assert on.json() == {"answer": "Hello", "model": gateway_model}
    assert off.json() == {"answer": "Hello", "model": DIRECT_MODEL}
    assert (on.headers["x-friday-path"], off.headers["x-friday-path"]) == ("litellm", "direct")
    assert (on.headers["x-friday-model"], off.headers["x-friday-model"]) == (gateway_model, DIRECT_MODEL)
    assert on.headers["x-friday-percentage"] == "50"
    assert on.headers["x-request-id"] == "mine-1"
    assert re.fullmatch(r"[0-9a-f]{32}", off.headers["x-request-id"])


async def test_a_fallback_says_so(gateway: Upstream, http: httpx.AsyncClient) -> None:
    gateway.scripts = [close]
    answer = await http.post("/api/chat", json=chat(ON))
    assert answer.status_code == 200
    assert answer.headers["x-friday-path"] == "fallback"
    assert answer.headers["x-friday-model"] == DIRECT_MODEL


async def test_a_model_and_a_limit_can_be_asked_for(gateway: Upstream, http: httpx.AsyncClient) -> None:
    await http.post("/api/chat", json=chat(ON, model="kimi-k2-free", max_tokens=5))
    sent = gateway.requests[0].json
    assert (sent["model"], sent["max_tokens"]) == ("openrouter/moonshotai/kimi-k2:free", 5)


async def events(http: httpx.AsyncClient, body: dict[str, Any]) -> tuple[httpx.Response, list[tuple[str, Any]]]:
    found = []
    async with http.stream("POST", "/api/chat", json=body) as response:
        kind = "message"
        async for line in response.aiter_lines():
            if line.startswith("event: "):
                kind = line[7:]
            elif line.startswith("data: "):
                found.append((kind, json.loads(line[6:])))
    return response, found


async def test_a_stream(http: httpx.AsyncClient) -> None:
    response, found = await events(http, chat(ON, stream=True))
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["x-friday-path"] == "litellm"
    assert [data["delta"] for _, data in found[:-1]] == ["One ", "two ", "three"]
    model = "openrouter/z-ai/glm-4.5-air:free"
    assert found[-1] == ("message", {"done": True, "model": model, "finish_reason": "stop"})


async def test_a_stream_falls_back_before_its_first_token(gateway: Upstream, http: httpx.AsyncClient) -> None:
    gateway.scripts = [stream(cut=True)]
    response, found = await events(http, chat(ON, stream=True))
    assert response.headers["x-friday-path"] == "fallback"
    assert found[-1][1]["done"] is True


async def test_a_broken_stream_ends_with_an_error_event(gateway: Upstream, http: httpx.AsyncClient) -> None:
    gateway.scripts = [stream(delta("Half"), 0.05, cut=True)]
    response, found = await events(http, chat(ON, stream=True))
    assert response.status_code == 200
    assert found[0] == ("message", {"delta": "Half"})
    assert found[1][0] == "error"
    assert found[1][1]["error"]["kind"] == "stream_broken"
    assert found[1][1]["error"]["request_id"] == response.headers["x-request-id"]
    assert len(found) == 2


async def test_a_stream_that_cannot_start_is_a_plain_error(direct: Upstream, http: httpx.AsyncClient) -> None:
    direct.scripts = [plain(b"x", 401)]
    answer = await http.post("/api/chat", json=chat(OFF, stream=True))
    assert answer.status_code == 502
    assert answer.json()["error"]["kind"] == "authentication"


async def test_a_reader_who_leaves_ends_the_request(gateway: Upstream, http: httpx.AsyncClient) -> None:
    gateway.scripts = [stream(*[delta("x"), 0.02] * 500)]
    async with http.stream("POST", "/api/chat", json=chat(ON, stream=True)) as response:
        async for _ in response.aiter_bytes():
            break
    await asyncio.wait_for(gateway.requests[0].gone.wait(), 2)
    for _ in range(100):
        metrics = (await http.get("/metrics")).text
        if 'outcome="cancelled"' in metrics:
            break
        await asyncio.sleep(0.02)
    assert 'outcome="cancelled",path="litellm"} 1.0' in metrics
    assert "friday_llm_in_flight 0.0" in metrics


async def test_documents_and_mail(gateway: Upstream, http: httpx.AsyncClient) -> None:
    gateway.scripts = [
        plain(good_answer("m", "# Plan")),
        plain(good_answer("m", " Short. ")),
        plain(good_answer("m", '["Lead", "Spam"]')),
    ]
    document = await http.post("/api/docs", json={"user_id": ON, "title": "Plan", "notes": "x"})
    mail = {"user_id": ON, "subject": "Offer", "body": "Please call."}
    summary = await http.post("/api/email/summary", json=mail)
    labels = await http.post("/api/email/labels", json=mail | {"labels": ["Lead", "Finance"]})
    assert document.json() == {"document": "# Plan", "model": "m"}
    assert summary.json() == {"summary": "Short.", "model": "m"}
    assert labels.json() == {"labels": ["Lead"], "model": "m"}
    assert "Please call." in gateway.requests[2].json["messages"][1]["content"]
    metrics = (await http.get("/metrics")).text
    for feature in ("docs", "email_summary", "email_labels"):
        assert f'feature="{feature}",model="m",outcome="ok",path="litellm"}} 1.0' in metrics


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/chat", {}, "message"),
        ("/api/chat", chat(message=""), "message"),
        ("/api/chat", chat(message=" \n"), "message"),
        ("/api/chat", chat(message=7), "message"),
        ("/api/chat", chat(message="x" * (MAX_MESSAGE_CHARS + 1)), "message"),
        ("/api/chat", chat(message="\ud800"), "message"),
        ("/api/chat", chat(-1), "user_id"),
        ("/api/chat", chat() | {"user_id": "7"}, "user_id"),
        ("/api/chat", chat() | {"user_id": 7.5}, "user_id"),
        ("/api/chat", chat() | {"user_id": True}, "user_id"),
        ("/api/chat", chat(2**53), "user_id"),
        ("/api/chat", chat(stream="yes"), "stream"),
        ("/api/chat", chat(max_tokens=-5), "max_tokens"),
        ("/api/chat", chat(max_tokens=10**9), "max_tokens"),
        ("/api/chat", chat(model="a b"), "model"),
        ("/api/chat", chat(model="openai/gpt-4o"), "model"),
        ("/api/chat", chat(api_key="x"), "api_key"),
        ("/api/chat", chat(**{"\ud800": 1}), "body"),
        ("/api/docs", {"notes": "x"}, "title"),
        ("/api/email/summary", {"subject": "x"}, "body"),
        ("/api/email/labels", {"body": "x", "labels": []}, "labels"),
        ("/api/email/labels", {"body": "x", "labels": ["x" * 41]}, "labels.0"),
    ],
)
async def test_wrong_input_is_a_422_that_names_the_field(
    path: str, body: dict[str, Any], field: str, gateway: Upstream, direct: Upstream, http: httpx.AsyncClient
) -> None:
    answer = await http.post(path, content=json.dumps(body), headers={"content-type": "application/json"})
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["field"] == field
    assert error["kind"] in ("invalid_request", "paid_model_refused")
    assert error["request_id"] == answer.headers["x-request-id"]
    assert gateway.requests == direct.requests == []
    assert (await http.get("/healthz")).status_code == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"\xff", b"[" * 100_000, b'"x"'])
async def test_a_body_that_is_no_object_is_a_400(body: bytes, http: httpx.AsyncClient) -> None:
    answer = await http.post("/api/chat", content=body, headers={"content-type": "application/json"})
    expected = 422 if body == b"" else 400
    assert answer.status_code == expected
    assert answer.json()["error"]["kind"] == ("invalid_request" if body == b"" else "invalid_json")


async def test_another_content_type_is_told_so(http: httpx.AsyncClient) -> None:
    answer = await http.post("/api/chat", content=json.dumps(chat()), headers={"content-type": "text/plain"})
    assert answer.status_code == 400
    assert "Content-Type" in answer.json()["error"]["advice"]


async def test_a_large_body_is_a_413(http: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(MAX_REQUEST_BYTES // 1024 + 1):
            yield b" " * 1024

    for content in (b" " * (MAX_REQUEST_BYTES + 1), chunks()):
        answer = await http.post("/api/chat", content=content)
        assert answer.status_code == 413
        assert answer.json()["error"]["field"] == "body"


async def test_an_absurd_body_is_not_even_read(http: httpx.AsyncClient) -> None:
    head = b"POST /api/chat HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % (MAX_DISCARDED_BYTES + 1)
    reader, writer = await asyncio.open_connection(http.base_url.host, http.base_url.port)
    writer.write(head)
    assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 413 ")
    writer.close()


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nope", 404), ("GET", "/api/chat", 405)])
async def test_wrong_addresses_are_json_too(method: str, path: str, status: int, http: httpx.AsyncClient) -> None:
    answer = await http.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"]["request_id"] == answer.headers["x-request-id"]


async def test_a_busy_account_is_a_429_with_retry_after(direct: Upstream, http: httpx.AsyncClient) -> None:
    direct.scripts = [plain({"error": {"message": "free-models-per-day"}}, 429, retry_after="61.7")]
    answer = await http.post("/api/chat", json=chat(OFF))
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "62"
    assert answer.headers["x-friday-path"] == "direct"
    assert answer.json()["error"]["kind"] == "quota_spent"


async def test_both_paths_dead_is_a_504_within_the_deadline(
    gateway: Upstream, direct: Upstream, http: httpx.AsyncClient
) -> None:
    gateway.scripts, direct.scripts = [hang], [hang]
    started = time.monotonic()
    answer = await http.post("/api/chat", json=chat(ON))
    assert answer.status_code == 504
    assert time.monotonic() - started < 4


async def test_a_bug_is_a_500_without_details(monkeypatch: pytest.MonkeyPatch, http: httpx.AsyncClient) -> None:
    def broken(_: str) -> None:
        raise ZeroDivisionError("SECRET")

    monkeypatch.setattr("friday.service.prompts.chat", broken)
    answer = await http.post("/api/chat", json=chat())
    assert answer.status_code == 500
    assert answer.json()["error"]["kind"] == "internal"
    assert "SECRET" not in answer.text


async def test_a_strange_request_id_is_replaced(http: httpx.AsyncClient) -> None:
    for strange in ("x" * 65, "a b", 'a"b'):
        answer = await http.get("/healthz", headers={"x-request-id": strange})
        assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])


async def test_a_model_name_cannot_add_headers(gateway: Upstream, http: httpx.AsyncClient) -> None:
    gateway.scripts = [plain(good_answer("m\r\nset-cookie: x=y" + "é" * 300))]
    answer = await http.post("/api/chat", json=chat(ON))
    assert "set-cookie" not in answer.headers
    assert len(answer.headers["x-friday-model"]) == 128


async def test_the_start_page_shows_the_rollout(http: httpx.AsyncClient) -> None:
    answer = await http.get("/")
    assert answer.headers["content-type"].startswith("text/html")
    assert "<td>50 %</td>" in answer.text
    assert DIRECT_MODEL in answer.text
    assert KEY not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_readiness(gateway: Upstream, direct: Upstream, http: httpx.AsyncClient) -> None:
    assert (await http.get("/readyz")).json() == {"status": "ready", "direct": True, "gateway": True}
    for percentage, status in (("0", 503), ("50", 503), ("100", 200)):
        alone = settings(gateway, direct, OPENROUTER_API_KEY="", LITELLM_ROLLOUT_PERCENTAGE=percentage)
        async for client in serve(alone):
            assert (await client.get("/readyz")).status_code == status
            assert (await client.get("/healthz")).status_code == 200


async def test_metrics_count_requests_by_known_paths(http: httpx.AsyncClient) -> None:
    await http.get("/healthz")
    await http.get("/made/up")
    text = (await http.get("/metrics")).text
    assert 'friday_http_requests_total{path="/healthz",status="200"} 1.0' in text
    assert 'friday_http_requests_total{path="other",status="404"} 1.0' in text
    assert "friday_llm_rollout_percentage 50.0" in text
    assert "process_resident_memory_bytes" in text
    assert "_created" not in text


async def test_the_description_names_every_feature_and_error(http: httpx.AsyncClient) -> None:
    found = (await http.get("/openapi.json")).json()
    features = {path for path in found["paths"] if path.startswith("/api/")}
    assert features == {"/api/chat", "/api/docs", "/api/email/summary", "/api/email/labels"}
    for path in features:
        assert {"200", "400", "413", "422", "429", "502", "503", "504"} <= set(
            found["paths"][path]["post"]["responses"]
        )


def test_every_error_has_a_documented_status() -> None:
    def below(kind: type[LlmError]) -> list[type[LlmError]]:
        return [kind, *(found for child in kind.__subclasses__() for found in below(child))]

    assert {kind.http_status for kind in below(LlmError)} <= set(ERRORS)
