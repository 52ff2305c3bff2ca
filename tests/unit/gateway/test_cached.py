"""The cache in front of the models: what is one request, who gets whose answer, and what is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cached import text_of
from gateway.cached_flight import Answer
from tests.unit.gateway.given_cached import (
    BODY,
    MODEL,
    Models,
    clean,
    plain,
    run,
    said,
    streamed,
    text,
)


def test_the_same_request_gets_the_same_answer_and_costs_one_call() -> None:
    async def work(models: Models) -> None:
        first, one = await models.asked()
        second, two = await models.asked()
        assert first == second == said(1)
        assert (one.cached, two.cached, two.model) == ("", "hit", MODEL)

    models = run(work)
    assert models.calls == 1
    assert models.counts == {"miss": 1, "hit": 1, "stored": 1}


@pytest.mark.parametrize("streams", [True, False])
def test_streams_and_plain_answers_serve_each_other(streams: bool) -> None:
    async def work(models: Models) -> None:
        first = await models.chat(stream=streams)
        other = await models.chat(stream=not streams)
        again = await models.chat(stream=streams)
        assert text(first) == text(other) == text(again) == "answer 1"

    assert run(work).calls == 1


@pytest.mark.parametrize("asks_first", [True, False])
def test_a_stream_has_the_usage_when_its_client_asks_for_it_whoever_made_the_call(asks_first: bool) -> None:
    async def work(models: Models) -> None:
        usage: dict[str, Any] = {"stream_options": {"include_usage": True}}
        first = await models.chat(stream=True, **(usage if asks_first else {}))
        second = await models.chat(stream=True, **({} if asks_first else usage))
        assert [any("usage" in event for event in each) for each in (first, second)] == [asks_first, not asks_first]
        assert "usage" in await models.chat()

    assert run(work).calls == 1


@pytest.mark.parametrize(
    ("fields", "feature", "cacheable"),
    [
        ({}, None, True),
        ({"temperature": 0.0}, None, True),
        ({"temperature": 0.1}, None, False),
        ({"temperature": None}, None, False),
        ({"temperature": None}, "email_labels", True),
        ({"temperature": 1}, "email_labels", True),
        ({"temperature": 1}, "chat", False),
    ],
)
def test_only_what_the_settings_call_cacheable_is_cached(
    fields: dict[str, Any], feature: str | None, cacheable: bool
) -> None:
    async def work(models: Models) -> None:
        for _ in range(2):
            await models.chat(feature=feature, **fields)

    models = run(work)
    assert models.calls == (1 if cacheable else 2)
    assert models.counts["skipped not_cacheable"] == (0 if cacheable else 2)


def test_a_request_that_is_not_cacheable_gets_no_answer_of_one_that_is() -> None:
    async def work(models: Models) -> None:
        features = ("email_labels", None, "email_labels")
        answers = [await models.chat(feature=feature, temperature=1) for feature in features]
        assert [text(answer) for answer in answers] == ["answer 1", "answer 2", "answer 1"]

    run(work)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
ignored = st.sampled_from(["user", "metadata", "min_p", "top_a", "repetition_penalty", "safety_identifier", "x"])


@given(ignored, values, values)
def test_two_users_whom_a_field_tells_apart_never_share_an_answer_though_no_model_gets_it(
    name: str, one: Any, other: Any
) -> None:
    def key(value: Any) -> bytes:
        asked = {**BODY, name: value}
        return text_of("v", clean(asked), asked)

    same = (repr(one) == repr(other)) or one == other
    assert (key(one) == key(other)) == (same and _kinds(one) == _kinds(other))


def _kinds(value: Any) -> Any:
    """Return a value with its kinds: to Python, true is 1."""
    if isinstance(value, dict):
        return {name: _kinds(each) for name, each in value.items()}
    return [_kinds(each) for each in value] if isinstance(value, list) else (type(value).__name__, value)


@pytest.mark.parametrize(
    "fields",
    [
        {"seed": 1},
        {"max_tokens": 5},
        {"temperature": 0, "top_p": 0.5},
        {"messages": [{"role": "user", "content": "Hi "}]},
        {"messages": [{"role": "user", "content": "Hi", "cache_control": {"type": "x"}}]},
        {"reasoning": {"exclude": True}},
        {"include_reasoning": False},
        {"user": "bob"},
        {"metadata": {"session": 1}},
    ],
)
def test_a_request_that_differs_in_anything_is_another_one(fields: dict[str, Any]) -> None:
    async def work(models: Models) -> None:
        await models.chat()
        await models.chat(**fields)

    assert run(work).calls == 2


def test_the_order_of_fields_counts_where_a_model_sees_it() -> None:
    def key(asked: Mapping[str, Any]) -> bytes:
        return text_of("v", clean(asked), asked)

    def shaped(*names: str) -> dict[str, Any]:
        schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
        return {**BODY, "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}}

    assert key(BODY) == key(dict(reversed(BODY.items())))
    assert key(shaped("a", "b")) == key(dict(reversed(shaped("a", "b").items())))
    assert key(shaped("a", "b")) != key(shaped("b", "a"))


def test_another_config_or_another_list_of_models_gets_no_old_answer() -> None:
    async def work(models: Models) -> None:
        await models.chat()
        assert text(await models.chat(models.cache(version="another config"))) == "answer 2"
        assert text(await models.chat(models.cache(models=("other/model:free",)))) == "answer 3"
        assert text(await models.chat()) == "answer 3", "it was replaced by the newest"

    run(work)


@pytest.mark.parametrize("finish", ["length", "content_filter", "error", None])
@pytest.mark.parametrize("streams", [True, False])
def test_what_is_not_whole_is_not_kept(finish: str | None, streams: bool) -> None:
    async def unfinished(models: Models, body: dict[str, Any]) -> Answer:
        async def events() -> AsyncIterator[dict[str, Any]]:
            for event in streamed({"content": "Hel"}, finish=finish):
                yield event

        return events() if streams else plain(finish=finish or "")

    async def work(models: Models) -> None:
        for _ in range(2):
            await models.chat(stream=streams)

    models = run(work, unfinished)
    assert (models.calls, models.counts["stored"]) == (2, 0)


def test_a_damaged_value_is_asked_for_again_and_replaced() -> None:
    async def work(models: Models) -> None:
        await models.chat()
        ((name, (_, value)),) = models.memory._values.items()
        await models.memory.set(name, value[:-3], 60)
        assert [text(await models.chat()) for _ in range(2)] == ["answer 2", "answer 2"]

    assert run(work).counts == {"miss": 1, "damaged": 1, "hit": 1, "stored": 2}
