"""Metrics and logs of real calls: complete, bounded, and without anything private."""

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from friday.llm import Caller, Feature, LlmRouter, constants, errors
from friday.llm.monitoring.logger import JsonFormatter, UserHasher, configure_logging, logger
from friday.llm.monitoring.metrics import MAX_MODELS, LlmMetrics
from tests.unit.friday.given import DIRECT_MODEL, HI, KEY, config
from tests.unit.friday.upstream import Upstream, delta, good_answer, hang, plain, stream

pytestmark = pytest.mark.anyio
GATEWAY_MODEL = "openrouter/z-ai/glm-4.5-air:free"


class Watched:
    """A router with its metrics and its log."""

    def __init__(self, gateway: Upstream, direct: Upstream) -> None:
        self.registry = CollectorRegistry()
        self.out = io.StringIO()
        self.router = LlmRouter(
            config(gateway, direct, rollout_percentage=100), registry=self.registry, hash_user=UserHasher(b"s")
        )

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]


@pytest.fixture
async def watched(gateway: Upstream, direct: Upstream) -> AsyncIterator[Watched]:
    made = Watched(gateway, direct)
    handler = logging.StreamHandler(made.out)
    handler.setFormatter(JsonFormatter())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield made
    logger.removeHandler(handler)
    await made.router.aclose()


async def test_a_good_call(watched: Watched) -> None:
    await watched.router.invoke(HI, Caller(7, Feature.DOCS, "r-1"))
    labels = {"path": "litellm", "model": GATEWAY_MODEL, "feature": "docs"}
    assert watched.value("friday_llm_requests_total", **labels, outcome="ok") == 1
    assert watched.value("friday_llm_tokens_total", **labels, direction="prompt") == 3
    assert watched.value("friday_llm_tokens_total", **labels, direction="completion") == 2
    assert watched.value("friday_llm_cost_usd_total", **labels) == 0
    assert watched.value("friday_llm_latency_seconds_count", **labels) == 1
    assert watched.value("friday_llm_in_flight") == 0
    assert watched.value("friday_llm_rollout_percentage") == 100
    line = watched.lines[-1]
    assert line["time"].endswith("Z")
    assert line.pop("ms") > 0
    assert {key: line[key] for key in line if key != "time"} == {
        "level": "info",
        "event": "llm_call",
        "request_id": "r-1",
        "path": "litellm",
        "feature": "docs",
        "outcome": "ok",
        "user": UserHasher(b"s")(7),
        "model": GATEWAY_MODEL,
        "tokens": 5,
    }


async def test_a_cost_is_not_overlooked(gateway: Upstream, watched: Watched) -> None:
    answer = good_answer(GATEWAY_MODEL)
    answer["usage"]["cost"] = 0.0123
    gateway.scripts = [plain(answer)]
    await watched.router.invoke(HI)
    cost = watched.value("friday_llm_cost_usd_total", path="litellm", model=GATEWAY_MODEL, feature="chat")
    assert cost == pytest.approx(0.0123)


async def test_a_fallback(gateway: Upstream, watched: Watched) -> None:
    gateway.scripts = [plain(b"x", 503)]
    await watched.router.invoke(HI)
    asked = {"model": GATEWAY_MODEL, "feature": "chat"}
    assert watched.value("friday_llm_fallbacks_total", **asked, reason="unavailable") == 1
    assert watched.value("friday_llm_errors_total", **asked, path="litellm", kind="unavailable") == 1
    labels = {"path": "fallback", "model": DIRECT_MODEL, "feature": "chat"}
    assert watched.value("friday_llm_requests_total", **labels, outcome="ok") == 1
    assert (watched.lines[-1]["path"], watched.lines[-1]["reason"]) == ("fallback", "unavailable")
    assert "503" in watched.lines[-1]["cause"]


async def test_a_failure(gateway: Upstream, direct: Upstream, watched: Watched) -> None:
    gateway.scripts, direct.scripts = [plain(b"x", 400)], [plain(b"x", 401)]
    with pytest.raises(errors.AuthenticationFailed):
        await watched.router.invoke(HI | {"model": "kimi-k2-free"})
    labels = {"path": "fallback", "model": DIRECT_MODEL, "feature": "chat"}
    assert watched.value("friday_llm_requests_total", **labels, outcome="authentication") == 1
    assert watched.value("friday_llm_errors_total", **labels, kind="authentication") == 1
    asked = {"path": "litellm", "model": constants.STOCK_MODELS["kimi-k2-free"], "feature": "chat"}
    assert watched.value("friday_llm_errors_total", **asked, kind="refused") == 1
    assert watched.value("friday_llm_in_flight") == 0
    assert watched.lines[-1]["outcome"] == "authentication"


async def test_streams(gateway: Upstream, watched: Watched) -> None:
    gateway.scripts = [
        stream(delta("x", "stop"), "[DONE]"),
        stream(delta("x"), 0.05, cut=True),
        stream(delta("x"), 30),
    ]
    with pytest.raises(errors.StreamBroken):
        for _ in range(2):
            async with await watched.router.stream(HI) as answer:
                async for _ in answer:
                    pass
    async with await watched.router.stream(HI):
        assert watched.value("friday_llm_in_flight") == 1
    assert watched.value("friday_llm_in_flight") == 0
    labels = {"path": "litellm", "model": "streamed:free", "feature": "chat"}
    assert watched.value("friday_llm_first_token_seconds_count", **labels) == 3
    for outcome in ("ok", "stream_broken", "cancelled"):
        assert watched.value("friday_llm_requests_total", **labels, outcome=outcome) == 1
    assert [line["outcome"] for line in watched.lines] == ["ok", "stream_broken", "cancelled"]


async def test_a_cancelled_call(gateway: Upstream, watched: Watched) -> None:
    gateway.scripts = [hang]
    task = asyncio.create_task(watched.router.invoke(HI))
    await gateway.asked()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert watched.lines[-1]["outcome"] == "cancelled"
    assert watched.value("friday_llm_in_flight") == 0


async def test_the_breaker_shows(gateway: Upstream, watched: Watched) -> None:
    gateway.always = plain(b"x", 503)
    assert watched.value("friday_llm_breaker_state") == 0
    for _ in range(6):
        await watched.router.invoke(HI)
    assert watched.value("friday_llm_breaker_state") == 2
    asked = {"model": GATEWAY_MODEL, "feature": "chat"}
    assert watched.value("friday_llm_fallbacks_total", **asked, reason="breaker_open") == 1


async def test_nothing_private_is_logged(gateway: Upstream, direct: Upstream, watched: Watched) -> None:
    gateway.scripts = [plain(b"prompt said SECRET PROMPT", 500), plain(good_answer("m", "SECRET ANSWER"))]
    direct.scripts = [plain(b"SECRET PROMPT " + KEY.encode(), 400)]
    params = {"messages": [{"role": "user", "content": "SECRET PROMPT"}]}
    with pytest.raises(errors.RequestRefused):
        await watched.router.invoke(params, Caller(user_id=123456789))
    await watched.router.invoke(params, Caller(user_id=123456789))
    with pytest.raises(errors.InvalidRequest):
        await watched.router.invoke({"messages": [{"role": "SECRET PROMPT", "content": ""}]})
    log = watched.out.getvalue()
    assert len(watched.lines) == 3
    for private in ("SECRET", KEY, "123456789"):
        assert private not in log


def test_model_labels_are_bounded() -> None:
    metrics = LlmMetrics(CollectorRegistry(), ["mine:free"])
    assert metrics.model_label("mine:free", answered=False) == "mine:free"
    assert metrics.model_label("kimi-k2-free", answered=False) == "kimi-k2-free"
    assert metrics.model_label("a-user-typed-this", answered=False) == "other"
    assert metrics.model_label(None, answered=True) == "other"
    assert metrics.model_label("x" * 129, answered=True) == "other"
    labels = {metrics.model_label(f"model-{number}", answered=True) for number in range(1000)}
    assert len(labels) == MAX_MODELS + 1
    assert metrics.model_label("model-0", answered=False) == "model-0"


def test_pseudonyms_are_stable_and_need_the_salt() -> None:
    assert UserHasher(b"a")(7) == UserHasher(b"a")(7)
    assert len({UserHasher(b"a")(7), UserHasher(b"b")(7), UserHasher(b"a")(8)}) == 3
    assert UserHasher(b"a")(None) is None


def test_exceptions_are_named_with_their_place_but_not_their_text() -> None:
    out = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        configure_logging(out)
        try:
            raise ValueError("SECRET")
        except ValueError:
            logger.exception("unhandled")
        logging.getLogger("httpx").info("GET http://...")
    finally:
        root.handlers[:], root.level = handlers, level
    (line,) = out.getvalue().splitlines()
    assert json.loads(line)["exception"] == "ValueError"
    assert "test_monitoring.py" in json.loads(line)["at"]
    assert "SECRET" not in line
