"""Evidence out of Prometheus: what is asked, what the answers mean, and what silence means."""

import math
from dataclasses import replace

import pytest

from ops.metrics.collect import gather, knows_friday
from ops.metrics.prometheus import Prometheus
from ops.rollout.gates.certainty import Certainty
from ops.rollout.gates.effect import Usage
from ops.rollout.gates.evidence import Calls, Distribution, Load
from ops.rollout.gates.look import Scope, Window
from tests.unit.ops.evidence import NAMES
from tests.unit.ops.fake_prometheus import FakePrometheus, Rows, vector

NOW = 1_800_000_000.0
HOUR = 3600.0
THIS_STEP = Window(NOW, HOUR)
BUCKETS: Rows = [({"le": "0.5"}, 5.0), ({"le": "1"}, 10.0), ({"le": "+Inf"}, 10.0)]
OUTCOMES: Rows = [({"outcome": "ok"}, 90.0), ({"outcome": "timeout"}, 10.0), ({"outcome": "cancelled"}, 7.0)]
CODES: Rows = [({"code": "2xx"}, 80.0), ({"code": "4xx"}, 15.0), ({"code": "5xx"}, 5.0)]
ANSWERS: dict[str, Rows] = {
    "count_over_time": vector(720),
    "avg_over_time": vector(0.5),
    "max_over_time gateway_upstream_attempts_total offset 60000ms": vector(30),
    "max_over_time friday_llm_requests_total offset 60000ms": vector(7),
    'friday_llm_requests_total path=~"litellm|fallback" by (outcome)': OUTCOMES,
    'friday_llm_requests_total path=~"direct" by (outcome)': [({"outcome": "ok"}, 900.0)],
    'friday_llm_requests_total path=~"fallback" by (outcome)': [({"outcome": "ok"}, 4.0)],
    "friday_llm_latency_seconds_bucket": BUCKETS,
    "gateway_overhead_seconds_bucket": BUCKETS,
    "gateway_chat_seconds_bucket": BUCKETS,
    "gateway_account_refused_total": [({"reason": "data_policy"}, 4.0)],
    'gateway_model_rest_seconds_total reason=~"closed.*"': [({"model": "c:free"}, 60.0)],
    "gateway_model_rest_seconds_total": [({"model": "m:free"}, 180.0)],
    "gateway_chats_total": vector(100),
    "gateway_spend_usd_total": vector(0.25),
    "friday_llm_cost_usd_total": [],
    "gateway_upstream_attempts_total": vector(120),
    "gateway_refused_requests_total": vector(60),
    'friday_llm_requests_total path=~"direct|fallback" sum by ()': vector(600),
    'haproxy_frontend_http_responses_total proxy="users"': CODES,
    'haproxy_frontend_http_responses_total proxy="gateway_internal"': CODES,
    "count(last_over_time": vector(1),
}


def scope(*, has_friday: bool = True, seconds: float = HOUR, baseline: Window | None = THIS_STEP) -> Scope:
    return Scope(NOW, dict.fromkeys(NAMES, seconds), has_friday, baseline)


def gathered(fake: FakePrometheus, asked: Scope) -> dict[str, object]:
    found = gather(Prometheus("http://prometheus", fake), asked)
    return {**found["figures"], "silent": found["silent"]}


def test_a_number_that_cannot_be_is_told_and_the_rest_is_read() -> None:
    found = gathered(FakePrometheus({**ANSWERS, "gateway_upstream_attempts_total": vector(-70)}), scope())
    assert found["silent"] == {
        "prometheus": "Prometheus' numbers for gateway_load make no sense: Input should be greater than or equal to 0"
    }
    assert found["calls"] == Calls(total=100, failed=10)


def test_every_field_is_read_from_its_metric() -> None:
    found = gathered(FakePrometheus(ANSWERS), scope())
    assert found["silent"] == {}
    assert found["coverage"] == 1.0  # 720 samples, one each 5 s
    assert found["calls"] == Calls(total=100, failed=10)  # who left is in neither
    assert found["baseline"] == Calls(total=900, failed=0)
    assert found["fallbacks"] == Calls(total=100, failed=4)
    assert found["gateway_up"] == 0.5
    assert found["seconds_out"] == {"m:free": 180.0}
    assert found["account_refused"] == {"data_policy": 4.0}
    assert found["closed"] == {"c:free": 60.0}
    assert (found["answers"], found["gateway_spend"], found["answers_cost"]) == (100, 0.25, 0.0)
    assert found["gateway_load"] == Load(per_minute=30, per_day=180 * 24, samples=180)
    assert found["direct_load"] == Load(per_minute=10, per_day=600 * 24, samples=600)
    for name in ("latency", "direct_latency", "overhead"):
        histogram = found[name]
        assert getattr(histogram, "samples", 0) == 10


def test_a_histogram_is_read_as_its_percentiles() -> None:
    latency = gathered(FakePrometheus(ANSWERS), scope())["latency"]
    assert [latency.quantile(share) for share in (0.25, 0.5, 0.75, 1.0)] == [0.25, 0.5, 0.75, 1.0]  # type: ignore[attr-defined]


def test_a_counter_that_nobody_touched_is_0_as_long_as_its_part_is_scraped() -> None:
    alive = gathered(FakePrometheus({"count(last_over_time": vector(1)}), scope())
    assert alive["calls"] == Calls(total=0, failed=0)
    assert (alive["gateway_spend"], alive["seconds_out"]) == (0, {})
    assert getattr(alive["latency"], "samples", None) == 0


def test_a_part_that_is_not_scraped_is_silent_and_never_0() -> None:
    dead = gathered(FakePrometheus(), scope())
    assert dead.pop("silent") == {}
    assert set(dead.values()) == {None}


@pytest.mark.parametrize(
    ("fake", "words"),
    [
        (FakePrometheus(status=503, body="starting"), "answers 503: starting"),
        (FakePrometheus(body="<html>"), "no Prometheus"),
        (FakePrometheus(body='{"status": "success", "data": {"resultType": "scalar", "result": [1, "1"]}}'), "no Prom"),
    ],
)
def test_a_server_that_gives_no_answer_is_told_with_what_it_said(fake: FakePrometheus, words: str) -> None:
    found = gathered(fake, scope())
    assert {name for name, answer in found.items() if answer is not None} == {"silent"}
    assert words in str(found["silent"])


def test_a_friday_without_metrics_is_seen_by_the_edge_against_the_step_before() -> None:
    fake = FakePrometheus(ANSWERS)
    found = gathered(fake, scope(has_friday=False, baseline=Window(NOW - HOUR, 600)))
    assert found["calls"] == Calls(total=85, failed=5)
    assert found["baseline"] == Calls(total=85, failed=5)
    assert found["fallbacks"] == Calls(total=100, failed=20)
    assert {at for query, at in fake.asked if 'proxy="users"' in query} == {NOW, NOW - HOUR}
    assert any("gateway_chat_seconds" in query for query, _ in fake.asked)
    assert gathered(fake, scope(has_friday=False, baseline=None))["baseline"] is None


def test_the_direct_path_is_timed_beside_the_gateway_over_the_gates_own_window() -> None:
    fake = FakePrometheus(ANSWERS)
    gather(Prometheus("http://p", fake), replace(scope(), windows={**scope().windows, "latency": 60.0}))
    (query,) = (query for query, _ in fake.asked if 'seconds_bucket{path=~"direct"}' in query)
    assert "[60000ms]" in query


def test_at_100_percent_the_direct_path_is_timed_in_the_step_before() -> None:
    fake = FakePrometheus(ANSWERS)
    found = gathered(fake, scope(baseline=Window(NOW - HOUR, 600)))
    assert getattr(found["direct_latency"], "samples", 0) == 10
    ((query, at),) = ((query, at) for query, at in fake.asked if 'seconds_bucket{path=~"direct"}' in query)
    assert (at, "[600000ms]" in query) == (NOW - HOUR, True)
    assert gathered(fake, scope(baseline=None))["direct_latency"] is None


def test_a_fallback_that_the_direct_path_could_not_answer_either_is_an_error_and_no_fallback() -> None:
    both: Rows = [({"outcome": "ok"}, 4.0), ({"outcome": "unavailable"}, 50.0)]
    key = 'friday_llm_requests_total path=~"fallback" by (outcome)'
    found = gathered(FakePrometheus({**ANSWERS, key: both}), scope())
    assert found["fallbacks"] == Calls(total=100, failed=4)


def test_errors_of_the_edge_itself_count_but_for_those_of_an_exchange_of_replicas() -> None:
    own = {
        'haproxy_backend_http_responses_total proxy=~"friday(_ws)?" [30000ms]': vector(4),
        'haproxy_server_http_responses_total proxy=~"friday(_ws)?" [30000ms]': vector(1),
        'haproxy_backend_http_responses_total proxy=~"litellm" [30000ms]': vector(9),
        'haproxy_server_http_responses_total proxy=~"litellm" [30000ms]': vector(0),
    }
    long_ago, began = Window(NOW - 2 * HOUR, 60), Window(NOW - HOUR + 30, 90)  # of this one 30 s are in the window
    exchanged = replace(scope(has_friday=False), exchanges=(began, long_ago))
    fake = FakePrometheus({**own, **ANSWERS})
    found = gathered(fake, exchanged)
    assert found["calls"] == Calls(total=82, failed=2)  # 3 of 5 were the edge's own
    assert found["fallbacks"] == Calls(total=95, failed=15)  # no more than there were
    assert {at for query, at in fake.asked if "haproxy_server" in query} == {NOW - HOUR + 30}


def test_chats_are_counted_at_a_frontend_of_their_own() -> None:
    fake = FakePrometheus({'proxy="chats"': [({"code": "2xx"}, 20.0)], **ANSWERS})
    found = gathered(fake, replace(scope(has_friday=False), users="chats"))
    assert found["calls"] == Calls(total=20, failed=0)
    assert found["usage"] == Usage(gateway=100, users=20, only_chats=True)


@pytest.mark.parametrize(("has_friday", "usage"), [(True, (1000, True)), (False, (100, False))])
def test_the_gateways_calls_stand_beside_those_of_users(has_friday: bool, usage: tuple[int, bool]) -> None:
    found = gathered(FakePrometheus(ANSWERS), scope(has_friday=has_friday))
    users, only_chats = usage
    assert found["usage"] == Usage(gateway=100, users=users, only_chats=only_chats)


def test_a_day_or_more_is_searched_for_its_busiest_day() -> None:
    fake = FakePrometheus({"max_over_time gateway_upstream_attempts_total offset 86400000ms": vector(999), **ANSWERS})
    found = gathered(fake, scope(seconds=2 * 86_400))
    assert found["gateway_load"] == Load(per_minute=30, per_day=999, samples=180)


def test_whether_friday_has_metrics_is_asked_of_the_last_month() -> None:
    fake = FakePrometheus({"30d": vector(2)})
    assert knows_friday(Prometheus("http://p", fake), NOW)
    assert not knows_friday(Prometheus("http://p", FakePrometheus()), NOW)


def test_percentiles_are_spread_within_a_bucket_and_end_at_the_last_bound() -> None:
    found = Distribution(buckets=((1.0, 50.0), (2.0, 100.0), (math.inf, 200.0)))
    assert [found.quantile(share) for share in (0.125, 0.25, 0.375, 0.5, 0.9)] == [0.5, 1.0, 1.5, 2.0, 2.0]
    assert Distribution(buckets=()).samples == 0
    with pytest.raises(ValueError, match="no samples"):
        Distribution(buckets=((math.inf, 0.0),)).quantile(0.5)


@pytest.mark.parametrize(
    ("samples", "share", "bounded"), [(20, 0.5, True), (20, 0.95, False), (100, 0.95, True), (1000, 0.99, True)]
)
def test_a_quantile_of_few_calls_is_as_sure_as_its_rank(samples: int, share: float, bounded: bool) -> None:
    def chance(ranks: range) -> float:
        """Return how likely so many of the calls take no longer than the true quantile: exactly, by the binomial."""
        return sum(math.comb(samples, rank) * share**rank * (1 - share) ** (samples - rank) for rank in ranks)

    evenly = Distribution(buckets=(*((n / 1000, samples * n / 1000) for n in range(1, 1001)), (math.inf, samples)))
    low, high = Certainty(0.05, one_look=True).quantile(evenly, share)
    assert 0.01 < chance(range(math.ceil(low * samples))) < 0.1
    assert (high < math.inf) is bounded
    if bounded:
        assert 0.01 < chance(range(math.ceil(high * samples), samples + 1)) < 0.1


def test_times_are_not_looked_at_while_replicas_are_exchanged() -> None:
    def asked(seconds: float) -> tuple[object, set[str]]:
        fake = FakePrometheus(ANSWERS)
        moved = replace(scope(seconds=seconds), exchanges=(Window(NOW - 45, 60), Window(NOW - HOUR, 30)))
        latency = gathered(fake, moved)["latency"]
        return latency, {query for query, _ in fake.asked if "latency_seconds_bucket" in query}

    before, queries = asked(300)
    assert getattr(before, "samples", None) == 10
    assert all("[300000ms]" in query for query in queries)  # it was sound for long before
    within, queries = asked(60)
    assert getattr(within, "samples", None) == 10
    assert all("[45000ms]" in query and "max_over_time" in query for query in queries)
    later = replace(scope(seconds=12), exchanges=(Window(NOW - 8, 60),))
    assert gathered(FakePrometheus(ANSWERS), later)["latency"] == Distribution(buckets=())


def test_the_users_own_times_before_are_asked_for_only_where_nobody_is_beside_them() -> None:
    assert gathered(FakePrometheus(ANSWERS), scope())["earlier_latency"] is None
    before = gathered(FakePrometheus(ANSWERS), scope(baseline=Window(NOW - HOUR, 600)))["earlier_latency"]
    assert getattr(before, "samples", None) == 10


def test_no_question_is_asked_twice() -> None:
    fake = FakePrometheus(ANSWERS)
    gathered(fake, scope())
    assert len(fake.asked) == len(set(fake.asked))
