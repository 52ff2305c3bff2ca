"""What Prometheus, Alertmanager and OpenRouter may answer, with something wrong in it: read, or one SilentError."""

import json
from collections.abc import Callable
from typing import Any

import httpx
from hypothesis import strategies as st

from ops.metrics.alertmanager import Alertmanager
from ops.metrics.collect import Sources, measure
from ops.metrics.openrouter import catalogue, key_usage, without_retention
from ops.metrics.prometheus import Prometheus
from ops.metrics.server import SilentError
from ops.rollout.gates.registry import judge
from tests.unit.given import settings
from tests.unit.mutated import EACH_TIME_AND_MANY, damaged, fuzzed, mutated
from tests.unit.ops.evidence import HOUR, NOON, entry, gate_input
from tests.unit.ops.fake_prometheus import FakePrometheus
from tests.unit.ops.rollout.test_look import ANSWERS

_NOW = NOON.timestamp()
_AT = "2026-11-24T12:00:00.000Z"
_LABELS = {"alertname": "RedisDown", "severity": "warning", "part": "redis", "stack": "t"}
_VECTOR = {
    "status": "success",
    "data": {
        "resultType": "vector",
        "result": [
            {"metric": {"path": "litellm", "le": "0.5", "outcome": "ok"}, "value": [_NOW, "10"]},
            {"metric": {"path": "direct", "le": "+Inf", "outcome": "timeout"}, "value": [_NOW, "12.5"]},
        ],
    },
}
_MATRIX = {
    "status": "success",
    "data": {"resultType": "matrix", "result": [{"metric": {"path": "litellm"}, "values": [[_NOW, "1"], [_NOW, "2"]]}]},
}
_RAISED = {"labels": _LABELS, "annotations": {"summary": "s"}, "state": "firing", "activeAt": _AT, "value": "1e+00"}
_FIRING = {
    **{"labels": _LABELS, "annotations": {"summary": "s", "command": "./fridayctl status t"}, "startsAt": _AT},
    "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
}
_KEY = {
    "data": {
        **{"label": "sk-or-v1-...aaa", "limit": None, "usage": 0, "usage_daily": 0, "usage_weekly": 0},
        **{"usage_monthly": 0, "is_free_tier": False, "limit_remaining": None, "limit_reset": None},
        "free_model_daily_requests": {"used": 10, "limit": 1000, "remaining": 990},
    }
}
_MODEL = {
    "id": "a/b:free",
    "name": "B",
    "context_length": 32768,
    "pricing": {"prompt": "0", "completion": "0", "request": "0"},
    "supported_parameters": ["tools", "response_format"],
    "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
    "expiration_date": None,
}

Ask = Callable[[httpx.BaseTransport], object]


def _prometheus(ask: Callable[[Prometheus], object]) -> Ask:
    return lambda transport: ask(Prometheus("http://p", transport))


def _alertmanager(ask: Callable[[Alertmanager], object]) -> Ask:
    return lambda transport: ask(Alertmanager("http://a", transport))


ANSWERED: dict[str, tuple[Any, Ask]] = {
    "vector": (_VECTOR, _prometheus(lambda each: each.ask("up", _NOW))),
    "clock": (_VECTOR, _prometheus(lambda each: each.ahead())),
    "matrix": (_MATRIX, _prometheus(lambda each: each.over("up", _NOW, _NOW, 5))),
    "alerts": ({"status": "success", "data": {"alerts": [_RAISED]}}, _prometheus(lambda each: each.alerts())),
    "names": ({"status": "success", "data": {"up": [{"type": "gauge"}]}}, _prometheus(lambda each: each.names())),
    "firing": ([_FIRING], _alertmanager(lambda each: [one.line for one in each.alerts()])),
    "running": (
        {"config": {"original": "receivers:\n- name: channels\n  slack_configs: []\n"}},
        _alertmanager(lambda each: each.channels()),
    ),
    "key": (_KEY, lambda transport: key_usage("http://o", "key", transport).since(NOON - HOUR, NOON)),
    "models": (
        {"data": [_MODEL]},
        lambda transport: [each.takes for each in catalogue("http://o", transport).values()],
    ),
    "zdr": ({"data": [{"model_id": "a/b:free"}]}, lambda transport: without_retention("http://o", transport)),
}
COUNTERS = (
    'alertmanager_notification_requests_total{integration="slack"} 3\n'
    'alertmanager_notification_requests_failed_total{integration="slack"} 1.5e+06\n'
)


@EACH_TIME_AND_MANY
def test_an_answer_is_read_or_its_source_is_called_silent(many: int) -> None:
    silent = 0

    def check(given: tuple[str, bytes]) -> None:
        nonlocal silent
        name, content = given
        try:
            ANSWERED[name][1](httpx.MockTransport(lambda _: httpx.Response(200, content=content)))
        except SilentError as error:
            silent += 1
            assert str(error)

    odd = st.sampled_from(sorted(ANSWERED)).flatmap(
        lambda name: st.tuples(st.just(name), damaged(mutated(ANSWERED[name][0]).map(json.dumps)))
    )
    fuzzed(check, odd, many)
    assert silent > many / 10


@EACH_TIME_AND_MANY
def test_counters_are_read_or_left_out(many: int) -> None:
    def check(content: bytes) -> None:
        alertmanager = Alertmanager("http://a", httpx.MockTransport(lambda _: httpx.Response(200, content=content)))
        assert set(alertmanager.deliveries()) <= {"slack"}

    fuzzed(check, damaged(st.just(COUNTERS)), many)


class _Odd(FakePrometheus):
    """Answers as it should, and with something else where some words are asked for."""

    def __init__(self, words: str, content: bytes) -> None:
        super().__init__(ANSWERS)
        self._words, self._content = words.split(), content

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        query = httpx.QueryParams(request.content.decode()).get("query", "")
        if query and all(word in query for word in self._words):
            return httpx.Response(200, content=self._content)
        return super().handle_request(request)


@EACH_TIME_AND_MANY
def test_gates_judge_what_they_were_answered_and_never_take_the_rest_for_good(many: int) -> None:
    entries, chosen = [entry(2, 10), entry(30, 0)], settings()

    def check(given: tuple[str, bytes, bytes]) -> None:
        words, content, key = given
        router = httpx.MockTransport(lambda _: httpx.Response(200, content=key))
        asked = Sources("http://p", "http://o", ("key",), _Odd(words, content), router)
        evidence = measure(asked, chosen, entries, NOON - HOUR, NOON)
        assert judge(evidence, gate_input()).verdicts

    vectors = damaged(mutated(_VECTOR).map(json.dumps))
    keys = damaged(mutated(_KEY).map(json.dumps))
    # Each asks some thirty questions, several at once.
    fuzzed(check, st.tuples(st.sampled_from(sorted(ANSWERS)), vectors, keys), many // 10)
