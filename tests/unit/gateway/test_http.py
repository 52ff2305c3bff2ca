"""HTTP as clients speak it: methods, bodies of every framing and size, one model by its name."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest

from gateway import request_body
from gateway.answers import Event
from gateway.policy import ROUTES, RefusedError
from gateway.request_body import MAX_BODY_BYTES, parsed
from serving.drain import Message
from tests.unit.gateway.given import CHAT, GATEWAY_KEY, MODELS, OPS_KEY, Client, event, streaming

CHATS = "/v1/chat/completions"
TOO_LONG = MAX_BODY_BYTES + 1


async def exchange(client: Client, messages: list[Message], *headers: tuple[str, str]) -> list[Message]:
    """Send a chat as a server does, with just these headers and pieces of a body; return what is answered."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": CHATS,
        "headers": [(name.encode(), value.encode()) for name, value in headers],
        "query_string": b"",
    }
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return messages.pop(0)

    await client.filter(scope, receive, send)
    return sent


KEY = ("authorization", f"Bearer {GATEWAY_KEY}")


def test_two_authorization_headers_are_none() -> None:
    sent = asyncio.run(exchange(Client(), [], KEY, ("authorization", "Bearer other")))
    assert sent[0]["status"] == 401


def test_models_are_the_names_that_clients_may_send() -> None:
    client = Client()
    listed = client.request("GET", "/v1/models").json()["data"]
    assert [entry["id"] for entry in listed] == list(MODELS)
    for entry in listed:
        for path in (f"/v1/models/{entry['id']}", f"/models/{quote(entry['id'], safe='')}"):
            assert client.request("GET", path).json() == entry
    assert client.inner.bodies == []


@pytest.mark.parametrize("name", ["nobody", "openai/gpt-4o", "up-gemma-4-31b", "gemma-4-31b/", "../models", "%"])
def test_a_model_that_is_not_served_is_404_and_litellm_is_not_asked(name: str) -> None:
    client = Client()
    answer = client.request("GET", f"/v1/models/{quote(name, safe='')}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
    assert client.request("GET", f"/v1/models/{MODELS[0]}", key=OPS_KEY).status_code == 403
    assert client.inner.bodies == []


@pytest.mark.parametrize("path", ["/v1/models/", "/v1/chat/completions/", "/v1", "/nothing"])
def test_a_path_that_is_none_is_404_in_json(path: str) -> None:
    answer = Client().request("GET", path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/v1/models", f"/v1/models/{MODELS[0]}", "/health/liveliness", "/health/summary"])
def test_head_is_get(path: str) -> None:
    client = Client()
    answer = client.request("HEAD", path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == b""
    assert client.inner.bodies == []


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        *(
            (path, "POST, OPTIONS" if method == "POST" else "GET, HEAD, OPTIONS")
            for path, (method, _) in ROUTES.items()
        ),
        (f"/v1/models/{MODELS[1]}", "GET, HEAD, OPTIONS"),
    ],
)
def test_other_methods_hear_which_there_are(path: str, allowed: str) -> None:
    client = Client()
    asked = client.request("OPTIONS", path, key=None)
    assert (asked.status_code, asked.headers["allow"], asked.content) == (204, allowed, b"")
    for method in {"PUT", "DELETE", "PATCH", "GET", "POST", "HEAD"} - set(allowed.split(", ")):
        wrong = client.request(method, path)
        assert (wrong.status_code, wrong.headers["allow"]) == (405, allowed)
    assert client.inner.bodies == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Expecting value at character 0"),
        (b"{", "at character 1"),
        (b"[]", "should be a JSON object"),
        (b'"x"', "should be a JSON object"),
        (b'{"a": \xff}', "byte 6 is not"),
        (b'{"a": ' + b"9" * 5000 + b"}", "more than 4300 digits"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"a":' * 100_000, "nested too deep"),
    ],
)
def test_a_body_that_is_no_object_is_400(content: bytes, said: str) -> None:
    client = Client()
    answer = client.request("POST", CHATS, content=content)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "invalid_json")
    assert said in error["message"]
    assert client.inner.bodies == []


@pytest.mark.parametrize("step", ["loads", "dumps"])
def test_what_is_nested_too_deep_for_a_step_is_400(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RecursionError

    with monkeypatch.context() as while_it_reads:
        while_it_reads.setattr(json, step, refuse)
        with pytest.raises(RefusedError) as caught:
            parsed(b"{}")
    assert (caught.value.status, caught.value.code) == (400, "invalid_json")


@pytest.mark.parametrize("number", ["Infinity", "-Infinity", "NaN", "1e999"])
def test_infinity_is_no_number(number: str) -> None:
    client = Client()
    body = json.dumps({**CHAT, "temperature": 0}).replace('"temperature": 0', f'"temperature": {number}')
    answer = client.request("POST", CHATS, content=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "temperature")
    assert client.inner.bodies == []
    # Where it is dropped it does no harm.
    assert client.request("POST", CHATS, content=body.replace("temperature", "min_p")).status_code == 200
    assert not math.isfinite(float(number))


def test_half_an_emoji_becomes_the_sign_for_what_cannot_be_shown() -> None:
    client = Client()
    half, whole = "\\ud83d", "\\ud83d\\ude00"
    function = f'{{"name": "f", "description": "{half}", "parameters": {{"{half}": "{half}{whole}"}}}}'
    turn = f'{{"role": "user", "content": "cut here: {half}"}}'
    body = f'{{"model": "gemma-4-31b", "messages": [{turn}, {turn}], "functions": [{function}]}}'
    assert client.request("POST", CHATS, content=body).status_code == 200
    assert client.inner.chat["messages"][1]["content"] == "cut here: \ufffd"
    assert client.inner.chat["tools"][0]["function"] == {
        "name": "f",
        "description": "\ufffd",
        "parameters": {"\ufffd": "\ufffd\U0001f600"},
    }


def test_of_two_fields_of_one_name_litellm_sees_what_was_checked() -> None:
    client = Client()
    content = b'{"model":"gemma-4-31b","messages":[{"role":"user","content":"Hi"}],"seed":1,"seed":2}'
    assert client.request("POST", CHATS, content=content).status_code == 200
    assert client.inner.chat == {**CHAT, "seed": 2}


@pytest.mark.parametrize("kind", [None, "application/json; charset=utf-8", "text/plain"])
def test_the_type_of_the_body_is_not_asked_for(kind: str | None) -> None:
    client = Client()
    headers = {} if kind is None else {"content-type": kind}
    assert client.request("POST", CHATS, content=json.dumps(CHAT), headers=headers).status_code == 200


def test_a_compressed_body_is_415() -> None:
    client = Client()
    answer = client.request("POST", CHATS, content=b"\x1f\x8b", headers={"content-encoding": "gzip"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_encoding")
    assert client.request("POST", CHATS, json=CHAT, headers={"content-encoding": "identity"}).status_code == 200


async def pieces(size: int) -> Any:
    body = json.dumps(CHAT).encode()
    yield body
    for begin in range(len(body), size, 2**16):
        yield b" " * min(2**16, size - begin)


def test_one_limit_whether_the_length_is_announced_or_not() -> None:
    client = Client()
    long = [b" " * TOO_LONG, pieces(TOO_LONG)]
    assert [client.request("POST", CHATS, content=content).status_code for content in long] == [413, 413]
    assert client.inner.bodies == []
    fitting = [json.dumps(CHAT).encode().ljust(MAX_BODY_BYTES), pieces(MAX_BODY_BYTES)]
    assert [client.request("POST", CHATS, content=content).status_code for content in fitting] == [200, 200]


def test_who_still_sends_has_the_answer_and_may_finish() -> None:
    piece: Message = {"type": "http.request", "body": b" " * 2**20, "more_body": True}
    messages: list[Message] = [piece] * 8 + [{"type": "http.request", "body": b"", "more_body": False}]
    sent = asyncio.run(exchange(Client(), messages, KEY))
    assert [message["type"] for message in sent] == ["http.response.start", *["http.response.body"] * 2]
    headers = dict(sent[0]["headers"])
    assert (sent[0]["status"], headers[b"connection"]) == (413, b"close")
    assert len(sent[1]["body"]) == int(headers[b"content-length"])
    assert messages == []  # all of it was received


@pytest.mark.parametrize(
    "left", [{"type": "http.disconnect"}, {"type": "http.request", "body": b" " * 2**20, "more_body": True}]
)
def test_what_is_left_of_a_body_is_received_to_a_limit(left: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "REST_BYTES", 2**21)
    messages = [left] * 3
    sent = asyncio.run(exchange(Client(), messages, KEY, ("content-length", str(10**9))))
    assert sent[0]["status"] == 413
    assert len(messages) == (1 if "body" in left else 2)


@pytest.mark.parametrize(("length", "status"), [("10", 408), (str(10**9), 413)])
def test_nobody_is_waited_for_without_end(length: str, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "BODY_SECONDS", 0.01)
    monkeypatch.setattr(request_body, "REST_SECONDS", 0.01)

    async def receive() -> Message:
        return await asyncio.Future()

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"authorization", KEY[1].encode()), (b"content-length", length.encode())]
    scope = {"type": "http", "method": "POST", "path": CHATS, "headers": headers, "query_string": b""}
    asyncio.run(Client().filter(scope, receive, send))
    assert sent[0]["status"] == status
    assert sent[-1]["more_body"] is False


def test_a_client_that_goes_away_while_it_sends_is_let_go() -> None:
    client = Client()
    sent = asyncio.run(exchange(client, [{"type": "http.disconnect"}], KEY))
    assert sent[0]["status"] == 499
    assert client.inner.bodies == []


def test_a_stream_names_a_model_that_may_be_asked_again() -> None:
    async def events() -> AsyncIterator[Event]:
        yield event({"content": "a"}, "stop")

    answer = Client(streaming(events, "minimax/minimax-m3:free")).chat(stream=True)
    assert '"model":"openrouter/minimax/minimax-m3:free"' in answer.text
    assert answer.headers["x-gateway-model"] == "minimax/minimax-m3:free"
