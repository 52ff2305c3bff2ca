"""MONITORING.md and INDICATORS.md say everything that is measured: each metric, and each indicator with its query."""

import re

import pytest

from components.alerting.rule import Alert
from docs import monitoring
from docs.alerts import all_alerts
from indicators import INDICATORS

PAGE = monitoring.PAGE.read_text(encoding="utf-8")
QUERIES = monitoring.QUERIES.read_text(encoding="utf-8")
FIX = "run: python -m docs.monitoring"


def plain(query: str) -> str:
    return re.sub(r"\s+", "", query)


def test_the_tables_are_those_of_the_code() -> None:
    assert monitoring.page_with_tables(PAGE) == PAGE, FIX
    with pytest.raises(ValueError, match="place for the indicators"):
        monitoring.page_with_tables("")


def test_the_queries_are_those_of_the_code() -> None:
    assert monitoring.queries_page() == QUERIES, FIX
    shown = dict(re.findall(r"^### (\w+)\n.*?```promql\n(.*?)```", QUERIES, re.DOTALL | re.MULTILINE))
    expected = {name: plain(each.expression(monitoring.WINDOW)) for name, each in INDICATORS.items()}
    assert {name: plain(query) for name, query in shown.items()} == expected


@pytest.mark.parametrize("name", [monitoring.shown_name(metric) for metric in monitoring.own_metrics()])
def test_each_metric_of_friday_and_the_gateway_is_explained(name: str) -> None:
    assert f"\n| `{name}` | " in PAGE, FIX


@pytest.mark.parametrize("name", INDICATORS)
def test_each_indicator_is_explained_and_made_of_metrics_that_are(name: str) -> None:
    assert f"[{name}](INDICATORS.md#{name})" in PAGE, FIX
    metrics = monitoring.metrics_of(INDICATORS[name].expression(monitoring.WINDOW))
    assert metrics
    assert [metric for metric in metrics if f"\n| `{metric}` | " not in PAGE] == []


@pytest.mark.parametrize("alert", all_alerts(), ids=lambda alert: alert.name)
def test_each_alert_is_made_of_metrics_that_are_explained(alert: Alert) -> None:
    metrics = monitoring.metrics_of(alert.expression)
    assert [metric for metric in metrics if f"\n| `{metric}` | " not in PAGE] == []


def test_the_metrics_of_an_expression_are_its_names_without_labels_and_values() -> None:
    asked = 'sum by (job) (up{a="redis_up"}) / on (friday_x) friday_a_bucket{gateway="x"}[5m:15s] + haproxy_b_total'
    assert monitoring.metrics_of(asked) == {"up", "friday_a", "haproxy_b_total"}
