"""Prometheus' language as text; tests/integration/test_counting.py asks a real Prometheus."""

import pytest

from indicators.promql import buckets, counted, duration, or_none, quantile, ratio, risen, sampled, seconds, step


def test_expressions_have_their_window_wherever_it_belongs() -> None:
    assert counted("m", "90s", ("a",)) == (
        "sum by (a) ((increase(m[90s]) and resets(m[90s]) > 0)"
        " or max_over_time(m[90s])"
        " - (last_over_time(m[1h] offset 90s) <= min_over_time(m[90s]) or max_over_time(m[90s]) * 0))"
    )
    assert risen("m", "1m").count("offset 1m") == 3
    assert sampled("f", "x", "48h", "60s") == "f((x)[48h:60s])"
    assert sampled("f", "x", "48h") == "f((x)[48h:])"


@pytest.mark.parametrize(
    ("window", "exact"),
    [("10m", True), ("600000ms", True), ("$__rate_interval", True), ("601s", False), ("$__range", False)],
)
def test_durations_are_counted_exactly_within_ten_minutes(window: str, exact: bool) -> None:
    expected = counted("m", window, ("path", "le")) if exact else f"sum by (path, le) (increase(m[{window}]))"
    assert buckets("m", window, ("path",)) == expected
    assert quantile(0.95, "m", window, ("path",)) == f"histogram_quantile(0.95, {expected})"


def test_a_share_is_0_without_a_part_and_joins_on_its_labels() -> None:
    assert ratio("a", "b") == "((a) or vector(0)) / (b)"
    assert ratio("a", "b", ("path",)) == "((a) or b * 0) / on (path) (b)"


def test_nothing_counted_is_one_0_named_none() -> None:
    assert or_none("a", "why") == '(a) or on () label_replace(vector(0), "why", "none", "", "")'


@pytest.mark.parametrize(
    ("text", "length"),
    [("5m", 300), ("1h30m", 5400), ("250ms", 0.25), ("1w1d", 691_200), ("$__rate_interval", None), ("", None)],
)
def test_durations_are_read_as_prometheus_writes_them(text: str, length: float | None) -> None:
    assert seconds(text) == length


def test_seconds_are_written_so_that_prometheus_takes_them() -> None:
    assert (step(10), step(48 * 3600)) == (5, 60)
    assert (duration(0), duration(90)) == ("1ms", "90000ms")
