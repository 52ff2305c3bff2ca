"""What is counted of testers' answers: numbers by path, of consenting testers only, and never a text."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest

from friday.llm import Caller, Feature, LlmRouter, errors
from friday.llm.quality import examine, is_formed, is_refusal, language
from friday.llm.types import InvokeParams, InvokeResult
from tests.unit.friday.given import config
from tests.unit.friday.upstream import Upstream, close, delta, good_answer, plain, stream

ENGLISH = "Could you please tell me how I can change the address of my company in the next invoice?"
DANISH = "Jeg vil gerne vide, hvordan jeg kan ændre adressen på min virksomhed, så det er rigtigt på den næste faktura."


def params(question: str = ENGLISH, **more: Any) -> InvokeParams:
    return InvokeParams.model_validate({"messages": [{"role": "user", "content": question}], **more})


def result(text: str, finish: str = "stop") -> InvokeResult:
    choice = {"message": {"content": text}, "finish_reason": finish}
    return InvokeResult.model_validate({"model": "m", "choices": [choice]})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ENGLISH, "english"),
        (DANISH, "danish"),
        ("Jag vill gärna veta hur jag kan ändra adressen på min faktura, det är inte rätt.", "swedish"),
        ("Ich möchte wissen, wie ich die Adresse der Firma auf der nächsten Rechnung ändern kann.", "german"),
        ("Je voudrais savoir comment changer l'adresse de la société sur la prochaine facture.", "french"),
        ("Me gustaría saber cómo puedo cambiar la dirección de la empresa en el próximo recibo.", "spanish"),
        ("Как мне изменить адрес компании в следующем счёте?", "cyrillic"),
        ("次の請求書で会社の住所を変更するにはどうすればよいですか。", "japanese"),
        ("下一张发票上的公司地址怎么修改", "cjk"),
        ("Hi", ""),
        ("12 + 30 = 42 🙂", ""),
        ("", ""),
        ("```python\nfor the in this and that:\n    is not in the\n```", ""),
        ("Привет hello там there но but", ""),
    ],
)
def test_a_language_is_told_or_left_open(text: str, expected: str) -> None:
    assert language(text) == expected


@pytest.mark.parametrize(
    ("text", "finish", "refused"),
    [
        ("I'm sorry, but I can't help with that.", "stop", True),
        ("I\N{RIGHT SINGLE QUOTATION MARK}m sorry, but no.", "stop", True),
        ("As an AI language model, I have no opinion.", "stop", True),
        ("Jeg kan desværre ikke hjælpe med det.", "stop", True),
        ("Ich kann dabei leider nicht helfen.", "stop", True),
        ("Sure: here is a text.", "content_filter", True),
        ("Sure: here is a text.", "stop", False),
        ("If the driver says 'I cannot start', press the button.", "stop", False),
        ("x" * 400 + " I cannot help", "stop", False),
    ],
)
def test_a_refusal_is_known_by_its_first_words(text: str, finish: str, refused: bool) -> None:
    assert is_refusal(text, finish) is refused


def schema(**given: Any) -> dict[str, Any]:
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": given}}}


JSON_MODE = {"response_format": {"type": "json_object"}}


@pytest.mark.parametrize(
    ("feature", "more", "text", "formed"),
    [
        (Feature.EMAIL_LABELS, {}, '["Lead"]', True),
        (Feature.EMAIL_LABELS, {}, "[]", True),
        (Feature.EMAIL_LABELS, {}, 'Here you are: ["Lead"]', False),
        (Feature.EMAIL_LABELS, {}, "[1]", False),
        (Feature.CHAT, {}, "{}", None),
        (Feature.CHAT, {"response_format": {"type": "text"}}, "{", None),
        (Feature.CHAT, JSON_MODE, '{"a": 1}', True),
        (Feature.CHAT, JSON_MODE, "[]", False),
        (Feature.CHAT, JSON_MODE, "[" * 100_000, False),
        (Feature.CHAT, schema(type="object", required=["a"]), '{"a": 1}', True),
        (Feature.CHAT, schema(type="object", required=["a"]), '{"b": 1}', False),
        (Feature.CHAT, schema(type="array"), "[]", True),
        (Feature.CHAT, schema(type="array"), "x", False),
    ],
)
def test_the_form_is_checked_where_a_program_reads(
    feature: Feature, more: dict[str, Any], text: str, formed: bool | None
) -> None:
    assert is_formed(feature, params(**more), text) is formed


def test_an_answers_language_is_compared_with_the_last_question() -> None:
    parts = [{"type": "text", "text": DANISH}, {"type": "image_url", "image_url": {"url": "data:x"}}]
    asked = [{"role": "user", "content": ENGLISH}, {"role": "user", "content": parts}]
    request = InvokeParams.model_validate({"messages": asked})
    assert examine(Feature.CHAT, request, result(DANISH)) == {"answered": True, "language": True}
    assert examine(Feature.CHAT, request, result(ENGLISH)) == {"answered": True, "language": False}
    assert examine(Feature.CHAT, params("Hi"), result(ENGLISH)) == {"answered": True}
    assert examine(Feature.EMAIL_LABELS, params(), result("[]")) == {"answered": True, "schema": True}


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_can_be_examined(asked: str, answered: str) -> None:
    assert set(examine(Feature.CHAT, params(asked), result(answered))) <= {"answered", "language"}


# Which answers are counted.


@asynccontextmanager
async def routed(
    gateway: Upstream, direct: Upstream, draw: Callable[[], float] = lambda: 0.0, **changes: Any
) -> AsyncIterator[tuple[LlmRouter, CollectorRegistry]]:
    registry = CollectorRegistry()
    given = {"testers": [7], "compare_testers": True, **changes}
    router = LlmRouter(config(gateway, direct, **given), registry=registry, draw=draw)
    yield router, registry
    await router.aclose()


def counted(registry: CollectorRegistry, path: str) -> tuple[float | None, float | None]:
    """Return how many answers of a path were measured, and how many were no refusal."""
    checks = {"path": path, "check": "answered", "passed": "true"}
    return (
        registry.get_sample_value("friday_llm_quality_length_chars_count", {"path": path}),
        registry.get_sample_value("friday_llm_quality_checks_total", checks),
    )


ASKED: dict[str, Any] = {"messages": [{"role": "user", "content": "SECRET QUESTION"}]}


@pytest.mark.anyio
@pytest.mark.parametrize(("drawn", "path"), [(0.0, "litellm"), (0.5, "direct")])
async def test_a_testers_answer_counts_for_the_path_that_was_drawn(
    drawn: float, path: str, gateway: Upstream, direct: Upstream
) -> None:
    async with routed(gateway, direct, lambda: drawn) as (router, registry):
        await router.invoke(ASKED, Caller(7))
        assert counted(registry, path) == (1, 1)
        assert registry.get_sample_value("friday_llm_quality_length_chars_sum", {"path": path}) == len("Hello")
    assert len(gateway.requests) + len(direct.requests) == 1, "no second call"


@pytest.mark.anyio
async def test_a_fallback_and_a_stream_are_measured_and_what_broke_is_not(gateway: Upstream, direct: Upstream) -> None:
    gateway.scripts = [close, stream(delta("whole", "stop"), "[DONE]"), stream(delta("half"), 0.05, cut=True)]
    async with routed(gateway, direct) as (router, registry):
        await router.invoke(ASKED, Caller(7))
        assert [text async for text in await router.stream(ASKED, Caller(7))] == ["whole"]
        with pytest.raises(errors.StreamBroken):
            [text async for text in await router.stream(ASKED, Caller(7))]
        assert (counted(registry, "fallback"), counted(registry, "litellm")) == ((1, 1), (1, 1))


@pytest.mark.anyio
@pytest.mark.parametrize(("changes", "user"), [({}, 8), ({}, None), ({"compare_testers": False}, 7)])
async def test_nobody_elses_answers_are_measured(
    changes: dict[str, Any], user: int | None, gateway: Upstream, direct: Upstream
) -> None:
    async with routed(gateway, direct, rollout_percentage=100, **changes) as (router, registry):
        await router.invoke(ASKED, Caller(user))
        assert counted(registry, "litellm") == (None, None)


@pytest.mark.anyio
async def test_labels_have_a_form_and_no_text_is_kept(gateway: Upstream, direct: Upstream) -> None:
    gateway.scripts = [plain(good_answer("m", json.dumps(["SECRET ANSWER"]))), plain(good_answer("m", "SECRET"))]
    async with routed(gateway, direct) as (router, registry):
        for _ in range(2):
            await router.invoke(ASKED, Caller(7, Feature.EMAIL_LABELS))
        for passed in ("true", "false"):
            labels = {"path": "litellm", "check": "schema", "passed": passed}
            assert registry.get_sample_value("friday_llm_quality_checks_total", labels) == 1
        assert b"SECRET" not in generate_latest(registry)
