"""A report's numbers, as a real Prometheus answers its questions: those that were counted, and the indicators'."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import pytest

from indicators import INDICATORS
from ops.metrics.collect import Sources
from ops.metrics.prometheus import Prometheus
from ops.report.collect import measured
from ops.report.known import Measured
from ops.report.make import make
from ops.report.model import Report
from tests.integration.prepared_prometheus import HOUR, SCRAPE_SECONDS, Series, Value, ends, prepared, rises
from tests.unit.given import settings
from tests.unit.ops.evidence import entry
from tests.unit.ops.report.reported import check, known

pytestmark = [pytest.mark.engine, pytest.mark.beside]

CALLS = 1800.0
BUCKETS = {"0.5": 0.5, "1.0": 0.9, "3.0": 1.0, "+Inf": 1.0}
"""The share of calls that took at most so long: half of them within 0.5 s, a tenth between 1 and 3 s."""


def restarted(total: float) -> Value:
    """Return a counter that rises by `total` within the hour, and begins anew in the middle of it."""
    return lambda share: total * (share if share < 0.5 else share - 0.5)


def within(began: float, ended: float, otherwise: float | None, usual: float) -> Value:
    """Return a gauge that shows something else between two shares of the hour."""
    return lambda share: otherwise if began <= share < ended else usual


def away(value: Value) -> Value:
    """Return it without the samples of six minutes: Prometheus looks back over five."""
    return lambda share: None if 0.8 <= share < 0.9 else value(share) if callable(value) else value


def answered(path: str, outcome: str, value: Value) -> Series:
    return {f'friday_llm_requests_total{{path="{path}",outcome="{outcome}"}}': away(value)}


TRAFFIC: Series = {
    "friday_llm_rollout_percentage": away(50),
    "friday_llm_breaker_state": within(0.2, 0.3, 2, 0),
    "gateway_quota_requests_per_minute": 20,
    "gateway_quota_used": 5,
    'haproxy_backend_active_servers{proxy="litellm"}': within(0.4, 0.5, 1, 2),
    'haproxy_backend_active_servers{proxy="friday"}': 2,
    'haproxy_server_status{proxy="gateway_switch",state="MAINT"}': within(0.6, 0.7, 1, 0),
    **answered("litellm", "ok", restarted(CALLS)),
    **answered("litellm", "cancelled", rises(600)),
    **answered("fallback", "ok", rises(240)),
    **answered("fallback", "unavailable", rises(120)),
    **answered("direct", "ok", rises(CALLS)),
    **{
        f'friday_llm_latency_seconds_bucket{{path="{path}",le="{bound}"}}': away(rises(2000 * share))
        for path in ("litellm", "direct")
        for bound, share in BUCKETS.items()
    },
    'gateway_upstream_attempts_total{model="a/b:free"}': rises(1500),
    'gateway_upstream_attempts_total{model="c/d:free"}': rises(500),
    'gateway_model_rest_seconds_total{model="a/b:free",reason="busy"}': rises(360),
    'gateway_cache_requests_total{source="hit"}': rises(25),
    'gateway_cache_requests_total{source="miss"}': rises(75),
    'gateway_tokens_total{kind="prompt"}': rises(10_000),
    "gateway_spend_usd_total": 0,
}
SETTINGS = settings(rolloutPercentage=50, router={"cacheTtlSeconds": 60}, monitoring={"scrapeSeconds": SCRAPE_SECONDS})
END = dt.datetime.fromtimestamp(ends(0), dt.UTC)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prepared(tmp_path_factory.mktemp("prepared"), [TRAFFIC]) as found:
        yield found


@pytest.fixture(scope="module")
def seen(url: str) -> Measured:
    return measured(Sources(url, "http://nowhere", ()), SETTINGS, [], float(HOUR), END)


@pytest.fixture(scope="module")
def report(seen: Measured) -> Report:
    before = END - dt.timedelta(days=2)
    deployed = entry(0, 50).model_copy(update={"started": before, "ended": before})
    return make(replace(known(entries=[deployed]), settings=SETTINGS, now=END), seen)


def total(report: Report, name: str, line: str) -> float:
    (series,) = (each for each in report.series if each.name == name)
    (found,) = (each for each in series.lines if each.name == line)
    return sum(value or 0 for value in found.values)


def test_it_counts_what_was_counted_also_over_a_restart(report: Report) -> None:
    # What was counted in six minutes without scrapes of Friday is not known, nor in the step in which they end.
    seen = 1 - 0.1 - 1 / 120
    assert total(report, "calls", "direct") == pytest.approx(CALLS * seen, rel=0.01)
    assert total(report, "calls", "litellm") == pytest.approx(CALLS * seen, rel=0.01)
    assert total(report, "calls", "fallback") == pytest.approx(360 * seen, rel=0.01)


@pytest.mark.parametrize(
    "name", ["error_rate", "direct_error_rate", "fallback_rate", "cache_hit_rate", "latency_p50", "latency_p95"]
)
def test_its_figures_are_the_indicators(url: str, report: Report, name: str) -> None:
    """They are made of the same counters in another way: in steps, and added up here."""
    server = Prometheus(url)
    (expected,) = server.ask(INDICATORS[name].expression("1h"), END.timestamp())
    server.close()
    found = next(each for one in (*report.daily, *report.weekly) for each in one.figures if each.name == name)
    assert found.value == pytest.approx(expected.number, rel=0.02, abs=0.002)


def test_models_tokens_cache_and_cost(report: Report) -> None:
    shares = {each.model: each.share for each in report.usage.models}
    assert shares == pytest.approx({"a/b:free": 0.75, "c/d:free": 0.25}, rel=0.01)
    assert "a/b:free 10 % of the time" in check(report, "providers").says
    assert check(report, "cache").says.startswith("25 % of 100")
    assert {each.value for each in check(report, "cost").figures if each.source == "Prometheus"} == {0.0}


def test_incidents_are_found_where_they_were(report: Report) -> None:
    spans = {
        each.kind: ((each.began - report.window.began) / dt.timedelta(hours=1), each.ended) for each in report.incidents
    }
    assert {kind: pytest.approx(began, abs=0.02) for kind, (began, _) in spans.items()} == {
        "breaker-open": 0.2,
        "replicas-down": 0.4,
        "switch-closed": 0.6,
        "no-metrics": 0.8,
    }
    assert all(ended for _, ended in spans.values())


def test_a_gap_is_a_gap_and_the_hour_before_is_unknown(report: Report) -> None:
    (series,) = (each for each in report.series if each.name == "error_rate")
    gap = series.lines[0].values[int(len(series.lines[0].values) * 0.82) : int(len(series.lines[0].values) * 0.88)]
    assert set(gap) == {None}
    assert all(each.before is None for each in check(report, "trends").figures)
