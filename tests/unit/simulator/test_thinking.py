"""Models that think before they answer, and answers that end with an error."""

from typing import Any

import pytest

from tests.unit.simulator.conftest import GEMMA, Api
from tests.unit.simulator.test_faults import outcome
from tests.unit.simulator.test_streaming import events

THINKER = "simulator/thinking:free"
QUICK = {"kind": "thinking", "ms": 100, "interval_ms": 25}


def deltas(text: str) -> list[dict[str, Any]]:
    return [event["choices"][0]["delta"] for event in events(text) if event["choices"]]


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("reasoning", {"reasoning", "reasoning_details"}),
        ("reasoning_details", {"reasoning_details"}),
        ("reasoning_content", {"reasoning_content"}),
    ],
)
def test_thoughts_come_before_the_text(api: Api, field: str, names: set[str]) -> None:
    usual = deltas(api.chat(stream=True).text)
    api.faults({**QUICK, "field": field})
    streamed = api.chat(stream=True)
    found = deltas(streamed.text)
    thoughts, rest = found[:4], found[4:]
    assert all(delta.keys() - {"role", "content"} == names for delta in thoughts)
    assert all(delta["content"] == "" for delta in thoughts)
    assert rest == usual
    assert events(streamed.text)[-1]["usage"]["completion_tokens_details"]["reasoning_tokens"] == 4
    message = api.chat().json()["choices"][0]["message"]
    assert names <= message.keys()
    assert outcome(api) == "fault:thinking"


def test_a_plain_answer_waits_behind_white_space(api: Api) -> None:
    api.faults(QUICK)
    response = api.chat()
    assert response.text.startswith("\n\n\n\n{")
    message = response.json()["choices"][0]["message"]
    assert message["reasoning"] == message["reasoning_details"][0]["text"]
    assert message["reasoning"].startswith("Step 1 of a simulated thought. ")


def test_a_caller_may_hide_thoughts(api: Api) -> None:
    api.faults(QUICK)
    for wish in ({"reasoning": {"exclude": True}}, {"include_reasoning": False}):
        text = api.chat(stream=True, **wish).text
        assert "simulated thought" not in text
        assert text.count(": OPENROUTER PROCESSING") == 1 + 4
        assert api.chat(**wish).json()["choices"][0]["message"]["reasoning"] is None


def test_a_thinking_model_and_how_to_stop_it(api: Api) -> None:
    api.http.patch("/admin/models", json={"id": THINKER, "thinks_ms": 500}).raise_for_status()
    usage = api.chat(THINKER).json()["usage"]
    assert usage["completion_tokens_details"]["reasoning_tokens"] == 1
    for wish in ({"effort": "none"}, {"enabled": False}):
        usage = api.chat(THINKER, reasoning=wish).json()["usage"]
        assert usage["completion_tokens_details"]["reasoning_tokens"] == 0
    listed = {each["id"]: each for each in api.http.get("/api/v1/models").json()["data"]}
    assert "reasoning" in listed[THINKER]["supported_parameters"]


def test_thoughts_may_use_up_the_limit(api: Api) -> None:
    api.faults(QUICK)
    choice = api.chat(max_tokens=3).json()["choices"][0]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("length", "")
    assert [delta["content"] for delta in deltas(api.chat(stream=True, max_tokens=5).text)] == [
        "",
        "",
        "",
        "",
        "Simulated",
        "",
    ]


@pytest.mark.parametrize("reason", ["error", "stop"])
@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("after", [0, 2])
def test_an_answer_that_ends_with_an_error(api: Api, after: int, words: bool, reason: str) -> None:
    api.faults({"kind": "finish_error", "after_tokens": after, "words": words, "reason": reason})
    choice = api.chat(GEMMA).json()["choices"][0]
    assert choice["message"]["content"] == ("Simulated answer" if after else "")
    streamed = api.chat(GEMMA, stream=True).text
    found = events(streamed)
    assert len(found) == after + 2
    assert found[-1]["choices"] == []
    assert "usage" in found[-1]
    assert streamed.endswith("data: [DONE]\n\n")
    for end in (choice, found[-2]["choices"][0]):
        assert (end["finish_reason"], end["native_finish_reason"]) == (reason, "error")
        assert ("error" in end) is words
