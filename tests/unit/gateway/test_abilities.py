"""A request goes to models that take it; when none does, the answer says so before any call."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.abilities import BYTES_PER_TOKEN, Abilities, Takes
from gateway.policy import RefusedError
from gateway.request_context import CURRENT
from tests.unit.gateway.given import CHAT, Client, Inner, hello

SCHEMA = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
TOOLS = [{"type": "function", "function": {"name": "list_leads"}}]
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
SEEN = [{"role": "system", "content": "s"}, {"role": "user", "content": [{"type": "text", "text": "t"}, PICTURE]}]


def takes(*abilities: str, context: int | None = None) -> Takes:
    return Takes(frozenset(abilities), context)


def abilities(**models: Takes) -> Abilities:
    """Return models in this order; all may answer for `gemma-4-31b`, only the first for `alone`."""
    return Abilities(models, {"gemma-4-31b": tuple(models), "alone": tuple(models)[:1]})


def unable(known: Abilities, size: int = 100, **fields: Any) -> set[str]:
    return set(known.unable({**CHAT, **fields}, size))


TEXT_AND_TOOLS = abilities(text=takes(), tools=takes("tools"), all=Takes())


@pytest.mark.parametrize(
    ("fields", "left_out"),
    [
        ({}, set()),
        ({"tools": []}, set()),
        ({"response_format": {"type": "text"}}, set()),
        ({"tools": TOOLS}, {"text"}),
        ({"response_format": {"type": "json_object"}}, {"text", "tools"}),
        ({"response_format": SCHEMA}, {"text", "tools"}),
        ({"messages": SEEN}, {"text", "tools"}),
    ],
)
def test_what_a_model_does_not_take_it_is_not_given(fields: dict[str, Any], left_out: set[str]) -> None:
    assert unable(TEXT_AND_TOOLS, **fields) == left_out


def test_a_long_conversation_goes_to_models_with_room_for_it_and_its_answer() -> None:
    known = abilities(short=takes(context=1000), long=takes(context=5000))
    assert unable(known, 1000 * BYTES_PER_TOKEN) == set()
    assert unable(known, 1001 * BYTES_PER_TOKEN) == {"short"}
    assert unable(known, 600, max_tokens=1000) == {"short"}
    assert unable(known, 600, max_tokens=1, max_completion_tokens=1000) == {"short"}


def test_the_data_of_pictures_is_no_text() -> None:
    big = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 100_000}}
    known = abilities(short=takes("image", context=1000))
    assert unable(known, 100_100, messages=[{"role": "user", "content": [big]}]) == set()


@pytest.mark.parametrize(
    ("known", "fields", "size", "said"),
    [
        (abilities(a=takes()), {"tools": TOOLS}, 100, ("unsupported_by_models", "tools", "takes tools")),
        (
            abilities(a=takes("tools")),
            {"tools": TOOLS, "response_format": SCHEMA},
            100,
            ("unsupported_by_models", "response_format", "a JSON schema"),
        ),
        (
            abilities(a=takes()),
            {"messages": SEEN},
            100,
            ("unsupported_by_models", "messages[1].content[1]", "pictures"),
        ),
        (
            abilities(a=takes(context=10), b=takes(context=20)),
            {},
            21 * BYTES_PER_TOKEN,
            ("context_length_exceeded", "messages", "need 21 tokens or more, the models take at most 20"),
        ),
        (
            abilities(a=takes("tools"), b=takes("image")),
            {"tools": TOOLS, "messages": SEEN},
            100,
            ("unsupported_by_models", "tools", "tools and pictures in one request"),
        ),
        (
            abilities(a=takes("tools", context=10), b=takes(context=100)),
            {"tools": TOOLS},
            50 * BYTES_PER_TOKEN,
            ("unsupported_by_models", "tools", "tools in a conversation this long"),
        ),
    ],
)
def test_a_request_that_no_model_takes_is_refused_with_its_field(
    known: Abilities, fields: dict[str, Any], size: int, said: tuple[str, str, str]
) -> None:
    with pytest.raises(RefusedError) as caught:
        unable(known, size, **fields)
    assert (caught.value.status, caught.value.code, caught.value.param) == (400, said[0], said[1])
    assert said[2] in caught.value.message


def test_only_models_that_may_answer_for_the_name_count() -> None:
    with pytest.raises(RefusedError):
        unable(TEXT_AND_TOOLS, tools=TOOLS, model="alone")


def test_the_filter_hands_on_which_models_are_left_out_and_a_refusal_costs_nothing() -> None:
    seen: list[frozenset[str]] = []

    async def answer(inner: Inner) -> None:
        context = CURRENT.get()
        assert context is not None
        seen.append(context.unable)
        await hello(inner)

    client = Client(answer, abilities=TEXT_AND_TOOLS)
    assert client.chat().status_code == client.chat(tools=TOOLS).status_code == 200
    assert seen == [frozenset(), frozenset({"text"})]
    refused = Client(answer, abilities=abilities(text=takes()))
    body = refused.chat(tools=TOOLS)
    assert (body.status_code, body.json()["error"]["param"]) == (400, "tools")
    assert refused.inner.bodies == []
    assert refused.refusals("unsupported_by_models") == 1


def config(**changed: Any) -> dict[str, Any]:
    return {
        "model_list": [{"model_name": f"up-{n}", "model_info": {"id": f"dep-{n}"}} for n in ("a", "b")],
        "router_settings": {
            "model_group_alias": {"a": "up-a", "b": "up-b"},
            "fallbacks": [{"a": ["up-b"]}],
        },
        **changed,
    }


def test_it_is_read_from_the_config() -> None:
    settings = {"models": {"dep-b": {"takes": ["tools"], "context_tokens": 7}}}
    found = Abilities.of(config(gateway_settings=settings))
    assert found.takes == {"dep-a": Takes(), "dep-b": takes("tools", context=7)}
    assert found.chains == {"a": ("dep-a", "dep-b"), "b": ("dep-b",)}
    assert Abilities.of(config()).takes["dep-b"] == Takes()


def test_a_model_that_the_config_does_not_have_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="dep-c takes, and has no such model"):
        Abilities.of(config(gateway_settings={"models": {"dep-c": {}}}))
