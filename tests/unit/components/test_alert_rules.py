"""The alert rules as they are rendered: complete, explained, and none that the stack cannot answer."""

import importlib
import itertools
import re
import shutil
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from prometheus_client import CollectorRegistry

from cli.main import cli
from components.alert_rules import FILE, alerts, files
from components.alerting.budget import BURNS
from components.alerting.posted import DRIFT
from components.alerting.rule import Alert
from components.parts import NAMES
from docs import alerts as page
from friday.llm.monitoring.metrics import LlmMetrics
from gateway.metrics import Metrics as GatewayMetrics
from testing.certificates import Authority
from tests.integration.alert_cases import CASES
from tests.integration.alert_stage import Case
from tests.unit.given import SECRETS
from tests.unit.rendered_rules import STACKS, given
from tests.unit.test_docs import slug

EVERY = page.all_alerts()
METRIC = re.compile(r"\b(?:friday_llm|gateway)_[a-z_]+")
VALUE = re.compile(r'"[^"]*"')


def rendered(**changes: Any) -> str:
    return files(given(**changes))[FILE]


def names(**changes: Any) -> set[str]:
    return {each.name for each in alerts(given(**changes))}


@pytest.mark.parametrize("changes", STACKS.values(), ids=STACKS)
def test_no_rule_is_there_twice_and_none_shows_a_secret(changes: dict[str, Any]) -> None:
    text = rendered(**changes)
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    found = [(rule.get("alert", rule.get("record")), str(rule.get("labels"))) for rule in rules]
    assert len(set(found)) == len(found) > 20
    assert not [name for name, secret in SECRETS.items() if secret in text]
    assert "STACK" not in text


def test_every_alert_is_a_case_that_fires_and_one_that_does_not() -> None:
    fired = set().union(*(case.alerts for case in CASES.values()))
    # The clock alone decides of the certificate, and no metric of drift.
    assert {each.name for each in EVERY} - fired == {"CertificateEnds", DRIFT.name}
    assert fired <= {each.name for each in EVERY}
    assert not CASES["parts: all is well"].fires


def test_every_alert_is_seen_on_a_stack_or_the_page_says_why_not() -> None:
    assert not [each.name for each in EVERY if not page.seen_by(each)]
    words = [*itertools.chain(*page.SEEN.values()), *page.UNSEEN]
    assert [each for each in words if not any(page.is_meant(alert, each) for alert in EVERY)] == []
    assert len(set(words)) == len(words)


@pytest.mark.parametrize("file", page.SEEN)
def test_a_test_brings_about_what_the_page_says_that_it_does(file: str) -> None:
    text = (Path(page.PAGE).parents[1] / "tests/integration" / file).read_text(encoding="utf-8")
    assert [each for each in page.SEEN[file] if f'"{each.partition(" ")[0]}"' not in text] == []
    if file == "test_alerts.py":
        return
    groups = vars(importlib.import_module(f"tests.integration.{file.removesuffix('.py')}")).values()
    cases = [each for group in groups if isinstance(group, tuple) for each in group if isinstance(each, Case)]
    seen = {page.seen_by(alert) for case in cases for alert in EVERY if case.wanted.items() <= _labels(alert).items()}
    assert len(cases) > 5
    assert {each.partition("]")[0] for each in seen} == {f"[{file}"}


def _labels(alert: Alert) -> dict[str, str]:
    return {"alertname": alert.name, **alert.all_labels}


def test_every_alert_has_a_heading_of_its_own_in_the_runbook() -> None:
    text = (Path(page.PAGE).parent / "TROUBLESHOOTING.md").read_text(encoding="utf-8")
    headings = {slug(line) for line in text.partition("\n## Alerts\n")[2].splitlines() if line.startswith("### ")}
    assert {each.runbook.partition("#")[2] for each in EVERY} == headings
    assert {each.runbook.partition("#")[0] for each in EVERY} == {"docs/TROUBLESHOOTING.md"}


def test_the_page_has_each_alert_as_it_is() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.with_table(text) == text, "run: python -m docs.alerts"
    with pytest.raises(ValueError, match="place for the alerts"):
        page.with_table("no place")


@pytest.mark.parametrize("alert", EVERY, ids=lambda each: each.name)
def test_its_command_is_one_that_the_command_line_takes(alert: Alert) -> None:
    program, verb, *arguments = alert.command.replace("STACK", "prod").split()
    assert program == "./fridayctl"
    command = cli.get_command(click.Context(cli), verb)
    while isinstance(command, click.Group):
        command = command.get_command(click.Context(command), arguments.pop(0))
    assert command
    command.make_context(verb, arguments)  # UsageError for what it does not take


@pytest.mark.parametrize("alert", EVERY, ids=lambda each: each.name)
def test_it_says_whose_it_is_and_what_is_wrong(alert: Alert) -> None:
    assert alert.part in {*NAMES, "prometheus", "alertmanager", "stack"}
    assert alert.severity in ("critical", "warning")
    assert alert.summary
    assert alert.when
    assert alert.expression or alert is DRIFT


def test_every_metric_of_ours_is_one_that_the_code_has() -> None:
    gateway, friday = CollectorRegistry(), CollectorRegistry()
    GatewayMetrics(gateway)
    LlmMetrics(friday)
    known = {metric.name for registry in (gateway, friday) for metric in registry.collect()}
    named = {found for each in EVERY for found in METRIC.findall(VALUE.sub("", each.expression))}
    assert len(named) > 15
    assert {re.sub("_(total|bucket|count|sum)$", "", name) for name in named} <= known


def test_nothing_depends_on_the_percentage() -> None:
    assert rendered(rolloutPercentage=10) == rendered(rolloutPercentage=50)
    assert rendered(litellmEnabled=False) == rendered()


def test_what_a_stack_has_not_has_no_rule() -> None:
    assert {"RedisDown", "RedisFull"} & names(litellm={"replicas": 1}) == set()
    assert "GatewayDown" not in names(litellm={"replicas": 0})
    assert {"BreakerOpen", "PercentagesDiffer", "ResponsesSlow"} & names(**STACKS["an image of one's own"]) == set()
    assert 'proxy="chats"' in rendered(**STACKS["an image of one's own, whose chats are known"])


def test_thresholds_are_those_of_the_gates() -> None:
    gates = {
        "errors": {"maximumPercent": 7},
        "latency": {"p50Seconds": 2, "p95Seconds": 9, "p99Seconds": 11, "tolerancePercent": 20},
        "quota": {"usablePercent": 80},
        "watchSamples": 33,
    }
    chosen = {each.name + str(dict(each.labels)): each for each in alerts(given(gates=gates))}
    errors = chosen["ErrorRateHigh{'users': 'gateway'}"].expression
    assert "> 0.07)" in errors
    assert ">= 33)" in errors
    latency = chosen["LatencyHigh{'quantile': 'p95', 'counted_by': 'friday'}"].expression
    assert "> 9)" in latency
    assert "<= 1.2 * " in latency
    assert ">= 0.8" in chosen["QuotaMinute{}"].expression
    assert "/ 1000 >= 0.8" in chosen["QuotaDay{}"].expression


def test_a_target_of_ten_seconds_allows_such_waits() -> None:
    assert "ResponsesSlow" in names(gates={"latency": {"p95Seconds": 9.9}})
    assert "ResponsesSlow" not in names(gates={"latency": {"p95Seconds": 10}})


def test_the_burn_rates_are_the_published_ones() -> None:
    # Site Reliability Workbook, chapter 5: 2 % and 5 % of 30 days' budget in 1 h and 6 h, 10 % in 1 d and in 3 d.
    hours = {"1h": 1, "6h": 6, "1d": 24, "3d": 72}
    used = {long: rate * hours[long] / (30 * 24) for long, _, rate, _ in BURNS}
    assert used == {"1h": pytest.approx(0.02), "6h": pytest.approx(0.05), "1d": pytest.approx(0.1), "3d": 0.1}


@pytest.mark.skipif(not shutil.which("openssl"), reason="certificates are made with the openssl command")
def test_the_certificate_that_is_deployed_is_watched(tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path / "authority").sign("friday", "-days", "90")
    edge = {"tls": {"certificateFile": str(certificate), "keyFile": str(key)}}
    found = [each for each in alerts(given(edge=edge)) if each.name == "CertificateEnds"]
    assert {each.severity for each in found} == {"warning", "critical"}
    assert "CertificateEnds" not in names()
