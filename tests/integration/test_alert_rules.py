"""The alert rules, shown to a real Prometheus: each fires when it should, and nothing else does."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from components.alert_rules import FILE, files
from components.alerting.replicas import certificate
from components.alerting.rule import Group
from components.certificate import Certificate
from testing.promtool import Promtool, promtool
from tests.integration.alert_cases import CASES
from tests.integration.alert_world import SETTINGS, Case
from tests.unit.rendered_rules import STACKS, given

pytestmark = [pytest.mark.engine, pytest.mark.beside]


@pytest.fixture(scope="module")
def tool() -> Iterator[Promtool]:
    with promtool() as running:
        yield running


def rules(changes: Mapping[str, Any], only: tuple[str, ...] = ()) -> str:
    document = yaml.safe_load(files(given(**changes))[FILE])
    document["groups"] = [group for group in document["groups"] if not only or group["name"] in only]
    return yaml.safe_dump(document)


@pytest.mark.parametrize("name", STACKS)
def test_prometheus_accepts_the_rules_of_every_kind_of_stack(tool: Promtool, name: str) -> None:
    code, said = tool.run({"rules.yml": rules(STACKS[name])}, "check", "rules", "rules.yml")
    assert code == 0, said
    assert "SUCCESS" in said


def run(tool: Promtool, case: Case) -> tuple[int, str]:
    tests = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [case.document()]}
    written = {"rules.yml": rules({**SETTINGS, **case.settings}, case.groups), "tests.yml": yaml.safe_dump(tests)}
    return tool.run(written, "test", "rules", "tests.yml")


@pytest.mark.parametrize("name", CASES)
def test_what_fires_in_a_case_is_what_should(tool: Promtool, name: str) -> None:
    code, said = run(tool, CASES[name])
    assert code == 0, said


@pytest.mark.parametrize(
    ("day", "firing"), [(8, ()), (10, ("warning",)), (28, ("warning", "critical")), (31, ("warning", "critical"))]
)
def test_a_certificate_is_warned_of_by_the_clock(tool: Promtool, day: int, firing: tuple[str, ...]) -> None:
    begins = dt.datetime.fromtimestamp(0, dt.UTC)
    shown = Certificate(pem="", names=(), begins=begins, ends=begins + dt.timedelta(days=30), alone=False)
    group = Group("certificate", tuple(certificate(shown))).document("t")
    case = Case("", 24 * 60 * day, tuple(f"{severity} CertificateEnds" for severity in firing), world={})
    tests = {"rule_files": ["rules.yml"], "evaluation_interval": "1d", "tests": [case.document()]}
    written = {"rules.yml": yaml.safe_dump({"groups": [group]}), "tests.yml": yaml.safe_dump(tests)}
    code, said = tool.run(written, "test", "rules", "tests.yml")
    assert code == 0, said


def test_a_wrong_expectation_would_be_noticed(tool: Promtool) -> None:
    code, said = run(tool, Case("all is well", 5, ("critical FridayDown",)))
    assert code == 1
    assert "FridayDown" in said


def test_what_is_sent_shows_the_value(tool: Promtool) -> None:
    firing = CASES["users: the direct path's users see errors"]
    document = firing.document()
    document["promql_expr_test"] = []
    document["alert_rule_test"] = [
        {
            "eval_time": f"{firing.minutes}m",
            "alertname": "ErrorRateHigh",
            "exp_alerts": [
                {
                    "exp_labels": {"severity": "critical", "part": "friday", "users": "direct"},
                    "exp_annotations": {
                        "summary": "calls of the direct path's users fail",
                        "description": "16.67% of the calls in the last 5m failed, at most 10 % may",
                        "command": "./fridayctl logs t friday",
                        "runbook": "docs/TROUBLESHOOTING.md#errorratehigh",
                    },
                }
            ],
        }
    ]
    tests = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [document]}
    code, said = tool.run(
        {"rules.yml": rules(SETTINGS), "tests.yml": yaml.safe_dump(tests)}, "test", "rules", "tests.yml"
    )
    assert code == 0, said
