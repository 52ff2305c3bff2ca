"""Where a stack's figures come from, over which windows, and what is left when a source is down."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from components.free_models import OPENROUTER
from ops.hosts.in_container import InContainer
from ops.metrics import collect
from ops.metrics.collect import Sources, sources, windows
from ops.metrics.openrouter import KeyUsage
from ops.metrics.prometheus import Prometheus
from ops.metrics.server import SilentError
from ops.rollout.gates.complaints import Heard
from ops.rollout.gates.look import Scope, Window
from ops.rollout.history import Entry
from tests.unit.given import settings
from tests.unit.ops.deployed import Played
from tests.unit.ops.evidence import HOUR, NAMES, NOON, entry
from tests.unit.ops.fake_prometheus import FakePrometheus, Rows, vector

ALIVE = {"30d": vector(1), "count(last_over_time": vector(1)}
KEYS = Sources("http://prometheus", "http://router", ("first", "second"))


STACK: Any = SimpleNamespace(name="t")


@pytest.mark.parametrize(
    ("elapsed", "soak", "own", "seconds"),
    [
        (100 * 3600, 48, None, 48 * 3600),
        (3600, 48, None, 3600),
        (100 * 3600, 48, 1, 3600),
        (1800, 48, 1, 1800),
        (1, 48, None, 10),
        (7200, 0, None, 7200),
    ],
)
def test_a_gate_looks_back_over_its_own_window_or_the_soak_but_not_beyond_the_step(
    elapsed: float, soak: float, own: float | None, seconds: float
) -> None:
    given = {"errors": {"windowHours": own}} if own else {}
    found = windows(settings(rollout={"soakHours": soak}, gates=given), elapsed)
    assert found["errors"] == seconds
    assert set(found) == set(NAMES)


def deployed(**changes: Any) -> Played:
    chosen = settings(**changes)
    return Played(lambda: chosen).given(decrypted_settings=chosen)


def test_a_local_stack_is_asked_at_its_published_ports() -> None:
    outputs = {"prometheusUrl": "http://127.0.0.1:9090", "simulatorUrl": "http://127.0.0.1:4100"}
    found = sources(deployed(openrouterApiKey="sk-of-the-gateway"), outputs)
    assert (found.prometheus, found.openrouter) == ("http://127.0.0.1:9090", "http://127.0.0.1:4100/api/v1")
    assert found.keys == ("sk-of-the-gateway", "test-fridayOpenrouterApiKey-0123456789")
    assert found.transport is None


def test_one_key_for_both_paths_is_asked_about_once() -> None:
    same = dict.fromkeys(("openrouterApiKey", "fridayOpenrouterApiKey"), "one-key-for-both")
    found = sources(deployed(upstream="openrouter", **same), {"prometheusUrl": "http://127.0.0.1:9090"})
    assert (found.keys, found.openrouter) == (("one-key-for-both",), OPENROUTER)


@pytest.mark.parametrize(
    ("changes", "outputs"),
    [
        ({"dockerHost": "ssh://deploy@host.example"}, {"prometheusUrl": "http://127.0.0.1:9090"}),
        ({"engine": "swarm", "swarmHosts": ["ssh://deploy@other.example"]}, {}),
    ],
)
def test_a_prometheus_elsewhere_is_asked_inside_its_container(
    changes: dict[str, Any], outputs: dict[str, object]
) -> None:
    found = sources(deployed(**changes).with_hosts(), outputs)
    assert isinstance(found.transport, InContainer)
    assert found.prometheus == "http://prometheus:9090"


class Measured:
    """Measures with a played Prometheus and a played OpenRouter."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fake: httpx.BaseTransport, **keys: KeyUsage | str) -> None:
        self._keys = keys
        monkeypatch.setattr(collect, "Prometheus", lambda url, _: Prometheus(url, fake))
        monkeypatch.setattr(collect, "key_usage", self._usage)

    def _usage(self, _: str, key: str, __: Any) -> KeyUsage:
        found = self._keys[key]
        if isinstance(found, str):
            raise SilentError(found)
        return found

    def __call__(self, entries: list[Entry], **changes: Any) -> Any:
        return collect.measure(KEYS, settings(**changes), entries, NOON - HOUR, NOON)


def test_both_sources_make_one_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakePrometheus(ALIVE)
    usage = KeyUsage.model_validate({"usage": 9, "usage_daily": 0.5, "free_model_daily_requests": {"limit": 50}})
    found = Measured(monkeypatch, fake, first=usage, second=usage)([entry(1, 10)])
    assert found.key_usage == 1.0  # of both keys, since midnight
    assert (found.requests_per_minute, found.requests_per_day) == (20, 50)
    assert found.requests_left is None
    assert found.figures["calls"].total == 0
    assert found.baseline_is == "direct path"
    assert found.silent == {}
    assert {at for _, at in fake.asked} == {NOON.timestamp()}


def test_a_key_that_openrouter_does_not_know_leaves_the_usage_out(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Measured(monkeypatch, FakePrometheus(ALIVE), first=KeyUsage(usage=0), second="401")([entry(1, 10)])
    assert found.key_usage is None
    assert found.silent == {"openrouter": "401"}
    assert found.requests_per_day == 1000


def test_a_prometheus_that_is_down_leaves_the_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = KeyUsage(usage=0)
    for changes in ({}, {"friday": {"image": "registry.example/friday:1"}}):
        broken = FakePrometheus(status=503, body="starting")
        found = Measured(monkeypatch, broken, first=usage, second=usage)([entry(1, 10)], **changes)
        assert "503" in found.silent["prometheus"]
        assert (found.figures.get("calls"), found.key_usage) == (None, 0)


STEPS = [entry(1, 100), entry(5, 50), entry(9, 10)]
OWN = {"friday": {"image": "registry.example/friday:1"}}


@pytest.mark.parametrize(
    ("entries", "changes", "words", "ends"),
    [
        (STEPS[1:], {}, "direct path", NOON),
        (STEPS, {}, "previous step", NOON - HOUR),
        (STEPS[1:], OWN, "previous step", NOON - 5 * HOUR),
        ([entry(1, 0)], OWN, "direct path", NOON),
    ],
)
def test_users_without_the_gateway_are_looked_for_where_there_were_some(
    entries: list[Entry], changes: dict[str, Any], words: str, ends: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakePrometheus({"count(last_over_time(haproxy": vector(1), "count(last_over_time(gateway": vector(1)})
    if not changes:
        fake.answers |= ALIVE
    found = Measured(monkeypatch, fake, first=KeyUsage(usage=0), second=KeyUsage(usage=0))(entries, **changes)
    assert found.baseline_is == words
    assert found.has_friday is not bool(changes)
    metric = 'proxy="users"' if changes else 'path=~"direct"}'
    assert ends.timestamp() in {at for query, at in fake.asked if metric in query}


def test_without_a_step_before_there_is_no_baseline_for_a_friday_without_metrics(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = FakePrometheus({"count(last_over_time(haproxy": vector(1)})
    found = Measured(monkeypatch, fake, first=KeyUsage(usage=0), second=KeyUsage(usage=0))([entry(1, 10)], **OWN)
    assert found.figures["calls"] is not None
    assert found.figures["baseline"] is None


def test_only_updates_that_may_have_replaced_something_are_exchanges(monkeypatch: pytest.MonkeyPatch) -> None:
    calm = entry(1, 10, "pause: 10 %: holidays")
    changed = entry(2, 10, "another image", changes=4).model_copy(update={"started": NOON - 2 * HOUR - HOUR / 60})
    unfinished = entry(0, 10, result="in-progress").model_copy(update={"started": NOON - HOUR / 60, "ended": None})
    failed = entry(3, 50, result="failed")
    right_after = entry(3 - 10 / 3600, 10, changes=2)
    seen: list[tuple[Window, ...]] = []

    def gather(_: Prometheus, scope: Scope) -> dict[str, Any]:
        seen.append(scope.exchanges)
        return {"silent": {}}

    monkeypatch.setattr(collect, "gather", gather)
    usage = KeyUsage(usage=0)
    measured = Measured(monkeypatch, FakePrometheus(ALIVE), first=usage, second=usage)
    measured([unfinished, calm, changed, right_after, failed], friday={**OWN["friday"], "chatPaths": ["/api/chat"]})
    known = 5 + 10.0  # seconds: a scrape, and what the edge may take
    end = (NOON - 2 * HOUR).timestamp() + known
    first = Window((NOON - 3 * HOUR).timestamp() + 10 + known, 10 + known)
    assert seen == [(first, Window(end, 60 + known), Window(NOON.timestamp(), 60))]


def test_a_watch_looks_at_all_since_the_step_whatever_the_windows_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "Prometheus", lambda url, _: Prometheus(url, FakePrometheus(ALIVE)))
    monkeypatch.setattr(collect, "key_usage", lambda *_: KeyUsage(usage=0))
    chosen = settings(gates={"errors": {"windowHours": 0.1}}, rollout={"soakHours": 0.5})
    for seconds in (3, 3600):
        began = NOON - dt.timedelta(seconds=seconds)
        found = collect.measure(KEYS, chosen, [entry(1, 10)], began, NOON, watching=True)
        assert set(found.windows.values()) == {max(10, seconds)}


def test_feedback_comes_from_friday_and_from_the_history(monkeypatch: pytest.MonkeyPatch) -> None:
    bad: Rows = [({"rating": "down"}, 4.0), ({"rating": "up"}, 9.0)]
    calls: Rows = [({"outcome": "ok"}, 90.0), ({"outcome": "timeout"}, 10.0), ({"outcome": "cancelled"}, 5.0)]
    known = {"friday_llm_feedback_total litellm|fallback": bad, "friday_llm_requests_total": calls, **ALIVE}
    entries = [
        entry(0.2, 10, "feedback: 2 down on litellm: mail"),
        entry(1, 10),
        entry(2, 0, "feedback: 7 down on direct"),
        entry(5, 0),
    ]
    usage = KeyUsage(usage=0)
    found = Measured(monkeypatch, FakePrometheus(known), first=usage, second=usage)(entries)
    assert found.figures["feedback"] == Heard(up=9, down=4, answers=100)
    assert found.figures["feedback_baseline"] == Heard(answers=100)
    assert found.reported == {"litellm": {"down": 2}}
    assert found.reported_before == {"direct": {"down": 7}}


def test_an_app_without_the_metric_is_named_and_has_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakePrometheus(ALIVE)
    fake.names = ("friday_llm_requests", "friday_llm_latency_seconds", "friday_llm_cost_usd")
    usage = KeyUsage(usage=0)
    found = Measured(monkeypatch, fake, first=usage, second=usage)([entry(1, 10)])
    assert found.figures["feedback"] is None
    assert "friday_llm_feedback_total is not among those of friday" in found.silent["complaints"]
