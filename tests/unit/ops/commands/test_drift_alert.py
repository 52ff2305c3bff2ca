"""What Alertmanager is told of drift, and when it is told that it is over."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from components.alerting.posted import DRIFT
from ops.checks.drift import Drift
from ops.commands import drift_alert
from ops.metrics import alertmanager as module
from ops.metrics.alertmanager import Alertmanager
from tests.unit.given import settings
from tests.unit.ops.deployed import Played
from tests.unit.ops.fake_alertmanager import FakeAlertmanager, firing

URL = "http://alertmanager"
FOUND = [
    Drift("changed", "friday-1", "memory is 300, was 256"),
    Drift("changed", "friday-1", "x"),
    Drift("removed", "r"),
]


def tell(
    monkeypatch: pytest.MonkeyPatch,
    alerts: httpx.BaseTransport,
    found: list[Drift],
    *,
    deployed: bool = True,
    enabled: bool = True,
) -> list[str]:
    """Tell it, and return what the command reports."""
    said: list[str] = []
    outputs = {"alertsUrl": SimpleNamespace(value=URL)} if deployed else {}
    deployment = Played(
        lambda: settings(monitoring={"alerts": {"enabled": enabled}}), lambda _, text: said.append(text)
    ).with_hosts()
    deployment.given(stack=SimpleNamespace(outputs=lambda: outputs))
    monkeypatch.setattr(module, "Alertmanager", lambda url, way: Alertmanager(url, alerts))
    drift_alert.tell(deployment, found)
    return said


def test_what_differs_is_named_once_and_not_how(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeAlertmanager()
    assert tell(monkeypatch, fake, FOUND) == []
    ((posted,),) = fake.posted
    assert posted["labels"] == {"alertname": DRIFT.name, "stack": "t", "severity": "warning", "part": "stack"}
    assert posted["annotations"] == {
        "summary": "t is not as the last update left it",
        "description": "changed friday-1, removed r",
        "command": "./fridayctl drift t --fix",
        "runbook": "docs/TROUBLESHOOTING.md#configurationdrift",
    }
    left = dt.datetime.fromisoformat(posted["endsAt"]) - dt.datetime.now(dt.UTC)
    assert dt.timedelta(hours=24) < left <= dt.timedelta(hours=25)
    assert dt.datetime.fromisoformat(posted["startsAt"]) <= dt.datetime.now(dt.UTC)


def test_much_that_differs_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeAlertmanager()
    tell(monkeypatch, fake, [Drift("removed", f"c{number}") for number in range(8)])
    assert fake.posted[0][0]["annotations"]["description"].endswith("removed c4 and 3 more")


@pytest.mark.parametrize(
    ("there", "ended"),
    [
        ([], False),
        ([firing("LatencyHigh")], False),
        ([firing(DRIFT.name, stack="other")], False),
        ([firing(DRIFT.name)], True),
    ],
)
def test_it_is_over_when_nothing_is_found_and_it_was_told(
    monkeypatch: pytest.MonkeyPatch, there: list[dict[str, Any]], ended: bool
) -> None:
    fake = FakeAlertmanager(there)
    assert tell(monkeypatch, fake, []) == []
    assert bool(fake.posted) is ended
    for ((posted),) in fake.posted:
        assert dt.datetime.fromisoformat(posted["endsAt"]) <= dt.datetime.now(dt.UTC)


def test_one_that_does_not_answer_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    (said,) = tell(monkeypatch, FakeAlertmanager(status=500, body="broken"), FOUND)
    assert said.startswith("not told of drift: Alertmanager at http://alertmanager answers 500")


@pytest.mark.parametrize("missing", ["deployed", "enabled"])
def test_a_stack_without_one_is_not_told(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    fake = FakeAlertmanager()
    assert tell(monkeypatch, fake, FOUND, **{missing: False}) == []
    assert fake.posted == []
