"""The indicators as a whole: each has its words, a window where it counts, and the number that a gate judges."""

import re

import pytest

from friday.llm import LlmError, errors
from friday.llm.monitoring.metrics import LATENCY_BUCKETS
from indicators import INDICATORS, Indicator
from indicators.promql import counted
from indicators.selectors import CALLERS_OWN, GATEWAY_PATHS, failed, judged
from ops.metrics.collect import gather
from ops.metrics.prometheus import Prometheus
from ops.rollout.gates.evidence import Calls
from ops.rollout.gates.look import Scope, Window
from tests.unit.ops.evidence import NAMES
from tests.unit.ops.fake_prometheus import FakePrometheus

NOW, HOUR = 1_800_000_000.0, 3600.0
KINDS = {kind.kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, LlmError)}
OUTCOMES = (KINDS - {LlmError.kind}) | {"ok", "cancelled", "internal"}


def asked(fake: FakePrometheus, *, has_friday: bool = True) -> dict[str, object]:
    """Return the gates' figures over an hour; `fake` keeps what was asked for them."""
    scope = Scope(NOW, dict.fromkeys(NAMES, HOUR), has_friday, Window(NOW, HOUR))
    figures: dict[str, object] = gather(Prometheus("http://prometheus", fake), scope)["figures"]
    return figures


def kept(selector: str) -> set[str]:
    """Return the outcomes that a selector takes."""
    return OUTCOMES - set(re.findall(r'outcome!~"([^"]+)"', selector)[0].split("|"))


@pytest.mark.parametrize("indicator", INDICATORS.values(), ids=INDICATORS)
def test_each_says_what_it_counts_and_what_to_do(indicator: Indicator) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]+", indicator.name)
    assert indicator.title[0].isupper()
    assert indicator.says
    assert indicator.do
    assert not indicator.says.endswith(".")
    assert not indicator.do.endswith(".")


@pytest.mark.parametrize("indicator", INDICATORS.values(), ids=INDICATORS)
def test_each_is_over_the_window_that_is_asked_for_or_of_now(indicator: Indicator) -> None:
    expression = indicator.expression("$__rate_interval")
    assert expression.replace("$__rate_interval", "7m") == indicator.expression("7m")
    for label in indicator.by:
        assert re.search(rf'by \([^)]*\b{label}\b|"{label}"', expression), label
    assert expression.count("(") == expression.count(")")


def test_names_are_given_once() -> None:
    titles = [each.title for each in INDICATORS.values()]
    assert len(titles) == len(set(titles))
    assert [name for name, each in INDICATORS.items() if name != each.name] == []


def test_the_gate_on_errors_counts_what_the_error_rate_counts() -> None:
    rows = [({"outcome": outcome}, 1.0) for outcome in sorted(OUTCOMES)]
    found = asked(FakePrometheus({"friday_llm_requests_total by (outcome)": rows}))
    part, whole = failed(*GATEWAY_PATHS), judged(*GATEWAY_PATHS)
    expression = INDICATORS["error_rate"].expression("1h")
    assert counted(part, "1h") in expression
    assert counted(whole, "1h") in expression
    assert found["calls"] == Calls(total=len(kept(whole)), failed=len(kept(part)))
    assert kept(whole) - kept(part) == {"ok"}
    assert OUTCOMES - kept(whole) == set(CALLERS_OWN)


def test_the_gate_on_fallbacks_counts_what_the_fallback_rate_counts() -> None:
    rows = [({"outcome": outcome}, 1.0) for outcome in sorted(OUTCOMES)]
    found = asked(FakePrometheus({"friday_llm_requests_total by (outcome)": rows}))
    assert found["fallbacks"] == Calls(total=len(kept(judged(*GATEWAY_PATHS))), failed=1)
    assert '{path=~"fallback", outcome="ok"}' in INDICATORS["fallback_rate"].expression("1h")


@pytest.mark.parametrize(
    ("name", "has_friday"),
    [
        ("gateway_calls", True),
        ("direct_calls", True),
        ("cache_requests", True),
        ("account_limit", False),
        ("edge_answers", False),
    ],
)
def test_gates_ask_for_indicators_in_their_own_words(name: str, has_friday: bool) -> None:
    fake = FakePrometheus()
    asked(fake, has_friday=has_friday)
    written = INDICATORS[name].expression("3600000ms")
    selector = re.findall(r"[a-z_]+_(?:total|minute)(?:\{[^}]*\})?", written)[0]
    assert [query for query, _ in fake.asked if query == written or selector in query]


@pytest.mark.parametrize(("share", "name"), [(0.5, "latency_p50"), (0.95, "latency_p95"), (0.99, "latency_p99")])
def test_the_gate_on_latency_reads_the_buckets_of_the_percentiles(share: float, name: str) -> None:
    fake = FakePrometheus()
    asked(fake)
    histogram = INDICATORS[name].expression("3600000ms").removeprefix(f"histogram_quantile({share}, ").removesuffix(")")
    assert histogram in {query for query, _ in fake.asked}


def test_calls_of_more_than_ten_seconds_end_at_a_bucket_that_friday_has() -> None:
    assert 10 in LATENCY_BUCKETS
    assert 'le="10.0"' in INDICATORS["slow_calls"].expression("5m")
