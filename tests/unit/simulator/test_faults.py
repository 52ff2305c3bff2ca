"""Every fault on the wire, plain and streamed, as a client sees it."""

import time
from typing import Any

import httpx
import pytest

from tests.unit.simulator.conftest import GEMMA, GEMMA_SMALL, PAID, Api
from tests.unit.simulator.test_streaming import events


def outcome(api: Api) -> str:
    """How the last request ended, once the server has noted it."""
    api.eventually(lambda: api.requests()[-1]["outcome"] != "open")
    return str(api.requests()[-1]["outcome"])


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 408, 429, 500, 502, 503, 504])
def test_status(api: Api, status: int, stream: bool) -> None:
    api.faults({"kind": "status", "status": status})
    response = api.chat(stream=stream)
    assert response.status_code == status
    error = response.json()["error"]
    assert error["code"] == status
    assert error["message"]
    assert "X-RateLimit-Limit" not in response.headers, "those mark a limit of the platform"


def test_status_429_of_a_provider(api: Api) -> None:
    api.faults({"kind": "status", "status": 429, "retry_after": 7})
    response = api.chat()
    assert response.headers["Retry-After"] == "7"
    metadata = response.json()["error"]["metadata"]
    assert metadata["provider_name"] == "Google AI Studio"
    assert "rate-limited upstream" in metadata["raw"]
    api.faults(
        {
            "kind": "status",
            "status": 503,
            "message": "m",
            "raw": "r",
            "provider_name": "p",
            "retry_after": "soon",
        }
    )
    response = api.chat()
    assert response.headers["Retry-After"] == "soon"
    assert response.json()["error"] == {
        "message": "m",
        "code": 503,
        "metadata": {"raw": "r", "provider_name": "p"},
    }


def test_status_as_a_web_page(api: Api) -> None:
    api.faults({"kind": "status", "status": 502, "html": True})
    response = api.chat()
    assert response.status_code == 502
    assert response.headers["content-type"].startswith("text/html")
    assert "502 Bad Gateway" in response.text


def test_status_lets_the_fallback_list_go_on(api: Api) -> None:
    api.faults({"kind": "status", "status": 503, "model": GEMMA})
    assert api.chat(models=[GEMMA_SMALL]).json()["model"] == GEMMA_SMALL


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_hang_never_answers_and_ends_with_the_caller(api: Api, stream: bool) -> None:
    api.faults({"kind": "hang"})
    with httpx.Client(base_url=api.http.base_url, timeout=0.2) as impatient, pytest.raises(httpx.ReadTimeout):
        Api(api.sim, api.clock, impatient).chat(stream=stream)
    assert api.eventually(lambda: bool(api.requests()) and api.requests()[-1]["duration_ms"] is not None)
    assert outcome(api) == "fault:hang"


@pytest.mark.parametrize("reset", [False, True])
def test_close_breaks_the_connection_without_an_answer(api: Api, reset: bool) -> None:
    api.faults({"kind": "close", "reset": reset})
    with pytest.raises(httpx.ReadError if reset else httpx.RemoteProtocolError):
        api.chat()
    assert outcome(api) == "fault:close"
    api.faults()
    assert api.chat().status_code == 200


@pytest.mark.parametrize("comments", [False, True])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_slow_first_token(api: Api, stream: bool, comments: bool) -> None:
    api.faults({"kind": "slow_first_token", "ms": 300, "comments": comments})
    begun = time.monotonic()
    body = {"model": GEMMA, "messages": [{"role": "user", "content": "x"}], "stream": stream}
    headers = {"Authorization": "Bearer key-two"}
    with api.http.stream("POST", "/api/v1/chat/completions", json=body, headers=headers) as response:
        parts = [(time.monotonic() - begun, part) for part in response.iter_bytes()]
    keepalive = b": OPENROUTER PROCESSING\n\n" if stream else b"\n"
    assert (parts[0][1] == keepalive) is comments
    if comments:
        assert parts[-1][0] - parts[0][0] >= 0.2, "the keepalive did not wait for the answer"
    assert parts[-1][0] >= 0.3
    text = b"".join(part for _, part in parts).decode()
    assert text.endswith("[DONE]\n\n") if stream else "choices" in httpx.Response(200, text=text).json()


def test_drip_of_keepalives_outlasts_a_timeout_on_silence(api: Api) -> None:
    api.faults({"kind": "drip", "interval_ms": 20, "ms": 400})
    begun = time.monotonic()
    with httpx.Client(base_url=api.http.base_url, timeout=0.3) as impatient:
        response = Api(api.sim, api.clock, impatient).chat()
    assert time.monotonic() - begun > 0.4
    assert response.text.startswith("\n\n\n")
    assert response.json()["model"] == GEMMA


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_endless_drip_goes_on_until_the_caller_leaves(api: Api, stream: bool) -> None:
    api.faults({"kind": "drip", "interval_ms": 10})
    body = {"model": GEMMA, "messages": [{"role": "user", "content": "x"}], "stream": stream}
    headers = {"Authorization": "Bearer key-two"}
    with api.http.stream("POST", "/api/v1/chat/completions", json=body, headers=headers) as response:
        parts = response.iter_raw()
        assert len([next(parts) for _ in range(10)]) == 10
    assert api.eventually(lambda: api.requests()[-1]["duration_ms"] is not None)
    assert outcome(api) == "fault:drip"


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_drip_of_tokens_is_slow_but_whole(api: Api, stream: bool) -> None:
    api.faults({"kind": "drip", "mode": "tokens", "interval_ms": 30})
    begun = time.monotonic()
    response = api.chat(stream=stream, max_tokens=8)
    assert time.monotonic() - begun >= 8 * 0.03
    if stream:
        assert events(response.text)[-1]["usage"]["completion_tokens"] == 8
    else:
        assert response.json()["usage"]["completion_tokens"] == 8


def test_cut_stream_breaks_off_after_some_tokens(api: Api) -> None:
    api.faults({"kind": "cut", "after_tokens": 2})
    body = {"model": GEMMA, "messages": [{"role": "user", "content": "x"}], "stream": True}
    headers = {"Authorization": "Bearer key-two"}
    got = b""
    with (
        pytest.raises(httpx.RemoteProtocolError),
        api.http.stream("POST", "/api/v1/chat/completions", json=body, headers=headers) as response,
    ):
        for part in response.iter_bytes():
            got += part
    assert len(events(got.decode())) == 2
    assert outcome(api) == "fault:cut"


def test_clean_cut_ends_as_if_all_was_said(api: Api) -> None:
    api.faults({"kind": "cut", "after_tokens": 2, "clean": True})
    text = api.chat(stream=True).text
    assert [e["choices"][0]["finish_reason"] for e in events(text)] == [None, None]
    assert "[DONE]" not in text


def test_cut_of_a_plain_answer(api: Api) -> None:
    api.faults({"kind": "cut"})
    with pytest.raises(httpx.RemoteProtocolError):
        api.chat()
    api.faults({"kind": "cut", "clean": True})
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        api.chat().json()


@pytest.mark.parametrize("after", [0, 2, 10_000])
def test_error_in_mid_stream(api: Api, after: int) -> None:
    api.faults({"kind": "stream_error", "after_tokens": after, "code": "server_error", "message": "gone"})
    text = api.chat(stream=True, max_tokens=5).text
    found = events(text)
    assert found[-1]["error"] == {"code": "server_error", "message": "gone"}
    assert found[-1]["choices"][0]["finish_reason"] == "error"
    assert len(found) == min(after, 5) + 1
    assert "[DONE]" not in text
    assert api.chat().json() == {"error": {"code": "server_error", "message": "gone"}}
    assert outcome(api) == "fault:stream_error"


def test_broken_line_in_a_stream(api: Api) -> None:
    api.faults({"kind": "broken_sse", "after_tokens": 1})
    text = api.chat(stream=True, max_tokens=3).text
    lines = [line for line in text.splitlines() if line.startswith("data: ")]
    assert lines[1] == 'data: {"id":"gen-broken","choices":[{"delta":{"content":'
    assert lines[-1] == "data: [DONE]"


BAD_JSON = {"malformed_json", "empty", "html"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("malformed_json", None),
        ("empty", None),
        ("html", None),
        ("empty_choices", []),
        ("empty_content", ""),
        ("null_content", None),
        ("choice_error", "error"),
        ("error", "error"),
    ],
)
def test_useless_bodies_with_status_200(api: Api, body: str, expected: Any) -> None:
    api.faults({"kind": "body", "body": body})
    plain, streamed = api.chat(), api.chat(stream=True)
    assert plain.status_code == streamed.status_code == 200
    assert outcome(api) == "fault:body"
    if body in BAD_JSON:
        with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
            plain.json()
        if body == "malformed_json":
            with pytest.raises(ValueError, match="Unterminated"):
                events(streamed.text)
        else:
            assert events(streamed.text) == []
        return
    first = events(streamed.text)[0]
    if body == "error":
        assert plain.json()["error"]["code"] == first["error"]["code"] == 502
        return
    if body == "empty_choices":
        assert plain.json()["choices"] == first["choices"] == expected
        return
    choice, delta = plain.json()["choices"][0], first["choices"][0]
    if body == "choice_error":
        assert choice["finish_reason"] == delta["finish_reason"] == "error"
        assert choice["error"]["message"] == delta["error"]["message"] == "Provider returned error"
    else:
        assert choice["message"]["content"] == delta["delta"]["content"] == expected


def test_faults_cost_nothing_when_there_was_no_answer(api: Api) -> None:
    for fault in (
        {"kind": "status", "status": 500},
        {"kind": "body", "body": "empty_choices"},
        {"kind": "close"},
    ):
        api.faults(fault)
        try:
            api.chat(PAID)
        except httpx.RemoteProtocolError:
            assert fault["kind"] == "close"
    assert api.http.get("/admin/bill").json()["total_usd"] == 0
