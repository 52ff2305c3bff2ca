"""Streams: comments, deltas, finish, usage, [DONE]."""

import json
from typing import Any

from tests.unit.simulator.conftest import GEMMA, Api
from tests.unit.simulator.test_chat import WEATHER


def events(text: str) -> list[dict[str, Any]]:
    """The JSON data events of a stream."""
    data = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [json.loads(item) for item in data if item != "[DONE]"]


def test_stream_says_what_the_plain_answer_says(api: Api) -> None:
    plain = api.chat().json()
    response = api.chat(stream=True)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.text.startswith(": OPENROUTER PROCESSING\n\n")
    assert response.text.endswith("data: [DONE]\n\n")
    chunks = events(response.text)
    assert {c["object"] for c in chunks} == {"chat.completion.chunk"}
    assert {c["id"] for c in chunks} == {response.headers["X-Generation-Id"]}
    said = "".join(c["choices"][0]["delta"]["content"] for c in chunks if c["choices"])
    assert said == plain["choices"][0]["message"]["content"]
    assert [c["choices"][0]["finish_reason"] for c in chunks if c["choices"]][-2:] == [None, "stop"]
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"] == plain["usage"]
    assert all("usage" not in c for c in chunks[:-1])


def test_stream_of_a_tool_call(api: Api) -> None:
    chunks = events(api.chat(stream=True, tools=[WEATHER], tool_choice="required").text)
    call = chunks[0]["choices"][0]["delta"]["tool_calls"][0]
    assert call["index"] == 0
    assert call["function"]["name"] == "weather"
    assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"


def test_token_limit_holds_in_streams(api: Api) -> None:
    chunks = events(api.chat(stream=True, max_tokens=3).text)
    assert len(chunks) == 3 + 2
    assert chunks[-2]["choices"][0]["finish_reason"] == "length"


def test_errors_before_the_first_token_keep_their_status(api: Api) -> None:
    response = api.chat("z-ai/glm-4.5-air:free", stream=True)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/json"


def test_stream_is_recorded_when_it_ends(api: Api) -> None:
    api.chat(stream=True)
    assert api.eventually(lambda: api.requests()[0]["outcome"] == "ok")
    assert api.requests()[0]["stream"] is True


def test_a_caller_who_leaves_is_noted(api: Api) -> None:
    api.faults(
        {
            "kind": "latency",
            "model": GEMMA,
            "distribution": {"kind": "uniform", "low_ms": 5000, "high_ms": 5000},
        }
    )
    body = {"model": GEMMA, "messages": [{"role": "user", "content": "x"}], "stream": True}
    headers = {"Authorization": "Bearer key-two"}
    with api.http.stream("POST", "/api/v1/chat/completions", json=body, headers=headers) as response:
        assert next(response.iter_lines()) == ": OPENROUTER PROCESSING"
    assert api.eventually(lambda: api.requests()[0]["outcome"] == "caller left")
