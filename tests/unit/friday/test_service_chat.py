"""Chat over HTTP, plain and streamed, and who answered."""

import json
import re
from typing import Any

import httpx
import pytest

from tests.unit.friday.given import DIRECT_MODEL
from tests.unit.friday.served import OFF, ON, chat
from tests.unit.friday.upstream import Upstream, close, delta, good_answer, plain, stream

pytestmark = pytest.mark.anyio


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


async def test_a_model_name_cannot_add_headers(gateway: Upstream, http: httpx.AsyncClient) -> None:
    gateway.scripts = [plain(good_answer("m\r\nset-cookie: x=y" + "é" * 300))]
    answer = await http.post("/api/chat", json=chat(ON))
    assert "set-cookie" not in answer.headers
    assert len(answer.headers["x-friday-model"]) == 128


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
