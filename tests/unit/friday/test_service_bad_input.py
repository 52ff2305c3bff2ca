"""Wrong input over HTTP: an error that names the field, no request to a model, and the service goes on."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from friday.llm.constants import MAX_TOKENS
from friday.service.models import MAX_MESSAGE_CHARS, MAX_TEXT_CHARS
from friday.service.request_middleware import MAX_DISCARDED_BYTES, MAX_REQUEST_BYTES
from tests.unit.friday.served import OFF, ON, chat, serve, settings
from tests.unit.friday.upstream import Upstream

pytestmark = pytest.mark.anyio
LIMITS = [-5, 0, 1.5, MAX_TOKENS + 1, 10**300, 1e300, float("nan"), float("inf"), "5", True, None]
TOO_LONG = "x" * (MAX_TEXT_CHARS + 1)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/chat", {}, "message"),
        ("/api/chat", chat(message=""), "message"),
        ("/api/chat", chat(message=" \n"), "message"),
        ("/api/chat", chat(message=7), "message"),
        ("/api/chat", chat(message="x" * (MAX_MESSAGE_CHARS + 1)), "message"),
        ("/api/chat", chat(message="\x85\ufeff\x1c"), "message"),
        ("/api/chat", chat(message="\ud800"), "message"),
        ("/api/chat", chat(messages=[{"role": "robot", "content": "Hi"}]), "messages"),
        ("/api/chat", chat(-1), "user_id"),
        ("/api/chat", chat() | {"user_id": "7"}, "user_id"),
        ("/api/chat", chat() | {"user_id": 7.5}, "user_id"),
        ("/api/chat", chat() | {"user_id": True}, "user_id"),
        ("/api/chat", chat(2**53), "user_id"),
        ("/api/chat", chat(stream="yes"), "stream"),
        *(("/api/chat", chat(max_tokens=limit), "max_tokens") for limit in LIMITS),
        ("/api/chat", chat(model="a b"), "model"),
        ("/api/chat", chat(model="openai/gpt-4o"), "model"),
        ("/api/chat", chat(api_key="x"), "api_key"),
        ("/api/chat", chat(**{"\ud800": 1}), "body"),
        ("/api/docs", {"notes": "x"}, "title"),
        ("/api/docs", {"title": "x", "notes": TOO_LONG}, "notes"),
        ("/api/email/summary", {"subject": "x"}, "body"),
        ("/api/email/summary", {"body": TOO_LONG}, "body"),
        ("/api/email/labels", {"body": "x", "labels": []}, "labels"),
        ("/api/email/labels", {"body": "x", "labels": ["x" * 41]}, "labels.0"),
        ("/api/email/labels", {"body": "x", "labels": ["Lead", "two\nlines"]}, "labels.1"),
    ],
    ids=lambda value: repr(value)[:60],
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
    assert (await http.post("/api/chat", json=chat())).status_code == 200, "it goes on serving"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"7", b"\xff", b"[" * 100_000, b'"x"', b'{"user_id": ' + b"9" * 5000 + b"}"]
)
async def test_a_body_that_is_no_object_is_a_400(body: bytes, http: httpx.AsyncClient) -> None:
    answer = await http.post("/api/chat", content=body, headers={"content-type": "application/json"})
    expected = 422 if body == b"" else 400
    assert answer.status_code == expected
    error = answer.json()["error"]
    assert (error["kind"], error["field"]) == ("invalid_request" if body == b"" else "invalid_json", "body")
    assert (await http.post("/api/chat", json=chat())).status_code == 200, "it goes on serving"


async def test_another_content_type_is_refused(http: httpx.AsyncClient) -> None:
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


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nope", 404), ("POST", "/api/translate", 404), ("GET", "/api/chat", 405)]
)
async def test_wrong_addresses_are_json_too(method: str, path: str, status: int, http: httpx.AsyncClient) -> None:
    answer = await http.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"]["request_id"] == answer.headers["x-request-id"]


async def test_a_strange_request_id_is_replaced(http: httpx.AsyncClient) -> None:
    for strange in ("x" * 65, "a b", 'a"b'):
        answer = await http.get("/healthz", headers={"x-request-id": strange})
        assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])


async def test_whole_numbers_may_have_a_point(gateway: Upstream, http: httpx.AsyncClient) -> None:
    answer = await http.post("/api/chat", json=chat() | {"user_id": 7.0, "max_tokens": 5.0})
    assert answer.headers["x-friday-path"] == "litellm"
    assert b'"max_tokens":5}' in gateway.requests[0].body


async def test_the_longest_text_fits_however_it_is_escaped(gateway: Upstream, http: httpx.AsyncClient) -> None:
    notes = "\N{GRINNING FACE}" * MAX_TEXT_CHARS
    body = json.dumps({"user_id": 7, "title": "Plan", "notes": notes})
    answer = await http.post("/api/docs", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200
    assert notes in gateway.requests[0].json["messages"][1]["content"]


async def test_an_unset_key_is_named(gateway: Upstream, direct: Upstream) -> None:
    async for http in serve(settings(gateway, direct, OPENROUTER_API_KEY="")):
        answer = await http.post("/api/chat", json=chat(OFF))
        assert answer.status_code == 503
        error = answer.json()["error"]
        assert (error["kind"], error["field"]) == ("configuration", "OPENROUTER_API_KEY")
        assert (await http.post("/api/chat", json=chat(ON))).status_code == 200, "the others are served"
    assert direct.requests == []
