"""An answer in the cache's form: what is kept, what a stream becomes, and what becomes a stream."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cached_answer import PIECE, Assembly, OddError, chunks, why_not_kept, without_usage
from tests.unit.gateway.given_cached import CALL, USAGE, assembled, plain, streamed


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (plain(), ""),
        (plain({"role": "assistant", "content": None, "tool_calls": [CALL]}, "tool_calls"), ""),
        (plain(finish="length"), "cut"),
        (plain(finish="content_filter"), "refused"),
        (plain({"content": "No.", "refusal": "I will not"}), "refused"),
        (plain({"content": " \n"}), "empty"),
        (plain({"content": None, "reasoning_content": "Hm."}), "empty"),
        (plain(finish="error"), "failed"),
        (plain(provider_specific_fields={"native_finish_reason": "error"}), "failed"),
        (plain(error={"code": 502}), "failed"),
        ({**plain(), "error": {"code": 502}}, "failed"),
        (plain(finish="unheard_of"), "odd"),
        ({**plain(), "choices": []}, "odd"),
        ({**plain(), "choices": plain()["choices"] * 2}, "odd"),
        ({"object": "chat.completion"}, "odd"),
        (plain({"tool_calls": [{**CALL, "function": {"name": "look", "arguments": '{"at": '}}]}, "tool_calls"), "odd"),
        (plain({"tool_calls": [{"id": "call-1"}]}, "tool_calls"), "odd"),
    ],
)
def test_only_a_whole_answer_is_kept(document: dict[str, Any], why: str) -> None:
    assert why_not_kept(document) == why


def test_a_stream_becomes_the_plain_answer() -> None:
    events = streamed(
        {"role": "assistant", "content": "", "reasoning_content": "H", "reasoning": "H"},
        {"reasoning_content": "m.", "reasoning": "m."},
        {"content": "Hel"},
        {"content": "lo", "tool_calls": None},
    )
    thought = {"reasoning_content": "Hm.", "provider_specific_fields": {"reasoning": "Hm."}}
    assert assembled(events) == plain({"role": "assistant", "content": "Hello", **thought})


def test_tool_calls_and_details_of_thoughts_are_put_together() -> None:
    events = streamed(
        {"role": "assistant", "content": None, "reasoning_details": [{"index": 0, "type": "t", "text": "H"}]},
        {"reasoning_details": [{"index": 0, "type": "t", "text": "m.", "signature": "s"}, "as it is"]},
        {"tool_calls": [{"index": 1, "id": "b", "type": "function", "function": {"name": "two", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "one", "arguments": '{"x'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '": 1}'}}]},
        finish="tool_calls",
    )
    document = assembled(events)
    assert document["choices"][0]["message"] == {
        "role": "assistant",
        "content": None,
        "provider_specific_fields": {
            "reasoning_details": [{"index": 0, "type": "t", "text": "Hm.", "signature": "s"}, "as it is"]
        },
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "one", "arguments": '{"x": 1}'}},
            {"id": "b", "type": "function", "function": {"name": "two", "arguments": ""}},
        ],
    }
    assert why_not_kept(document) == ""


@pytest.mark.parametrize(
    "event",
    [
        {"choices": [{"index": 1, "delta": {"content": "another answer"}}]},
        {"choices": [{"index": 0, "delta": {"sound": "la"}}]},
        {"choices": [{"index": 0, "delta": {"content": 5}}]},
    ],
)
def test_a_stream_that_makes_no_plain_answer_without_a_guess_makes_none(event: dict[str, Any]) -> None:
    with pytest.raises(OddError):
        Assembly().add({**plain(), **event})


def test_an_unfinished_stream_is_not_kept() -> None:
    assert why_not_kept(assembled(streamed({"content": "Hel"}, finish=None))) == "odd"


texts = st.text(max_size=30)
calls = st.lists(st.builds(lambda at: {**CALL, "function": {"name": "f", "arguments": json.dumps({"x": at})}}, texts))
messages = st.builds(
    lambda said, thought, called, refused, noted: {
        "role": "assistant",
        "content": said or (None if called else ""),
        **({"reasoning_content": thought} if thought else {}),
        **({"tool_calls": called} if called else {}),
        **({"refusal": refused} if refused else {}),
        **({"annotations": [{"note": noted}]} if noted else {}),
        **({"provider_specific_fields": _details(thought)} if thought else {}),
    },
    *(texts, texts, calls, texts, texts),
)


def _details(thought: str) -> dict[str, Any]:
    return {"reasoning": thought, "reasoning_details": [{"index": 0, "type": "t", "text": thought}]}


@given(messages, st.sampled_from(["stop", "tool_calls", "length"]))
def test_what_becomes_a_stream_and_an_answer_again_is_the_same(message: dict[str, Any], finish: str) -> None:
    said = {"content": [{"token": "t"}], "refusal": []} if message["content"] else None  # they come with the content
    document = plain(message, finish, logprobs=said)
    assert assembled(list(chunks(document))) == document


def test_a_long_text_comes_in_pieces_that_every_client_reads() -> None:
    arguments = json.dumps({"x": "\U0001f600" * 2 * PIECE}, ensure_ascii=False)
    call = {**CALL, "function": {"name": "look", "arguments": arguments}}
    document = plain({"role": "assistant", "content": "\U0001f600" * 3 * PIECE, "tool_calls": [call]}, "tool_calls")
    made = list(chunks(document))
    assert max(len(json.dumps(chunk)) for chunk in made) < 64 * 1024
    assert assembled(made) == document
    assert [chunk["object"] for chunk in made] == ["chat.completion.chunk"] * len(made)
    assert [list(chunk["choices"][0]["delta"]) for chunk in made[:2]] == [["role", "content"], ["content"]]


def test_the_usage_is_left_out_for_a_client_that_did_not_ask() -> None:
    *said, finish, usage = streamed({"content": "Hello"})
    assert without_usage(usage) is None
    assert without_usage(said[0]) == said[0]
    assert without_usage({**finish, "usage": USAGE}) == finish
