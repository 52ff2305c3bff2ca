"""What preflight says of the certificate at the edge."""

import datetime as dt
from typing import Any

import pytest

from components.certificate import Certificate
from ops.checks.preflight.facts import Facts
from ops.checks.preflight.judge_certificate import certificate
from ops.checks.report import Check, State
from tests.unit.given import settings

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
FILE = "Pulumi.t.yaml: friday-litellm:edge.tls.certificateFile"


def judged(*, begins: int = -10, ends: int = 80, alone: bool = False, restoring: bool = False) -> list[Check]:
    """Judge a certificate that is valid between two days, counted from now."""
    day = dt.timedelta(days=1)
    found = Certificate("", ("friday.example",), NOW + begins * day, NOW + ends * day, alone)
    return list(certificate(Facts("t", settings(), [], {}, certificate=found, now=NOW, restoring=restoring)))


@pytest.mark.parametrize(
    ("given", "state", "text"),
    [
        ({}, State.OK, "for friday.example, valid for 80 days (until 2027-01-20)"),
        ({"ends": 30}, State.OK, "for friday.example, valid for 30 days (until 2026-12-01)"),
        ({"ends": 29}, State.WARNING, f"{FILE}: valid for 29 days more (until 2026-11-30)"),
        ({"ends": 0}, State.FAILED, f"{FILE}: should be valid (it ended on 2026-11-01 00:00 UTC)"),
        ({"ends": 0, "restoring": True}, State.WARNING, f"{FILE}: should be valid (it ended on 2026-11-01 00:00 UTC)"),
        ({"begins": 1}, State.FAILED, f"{FILE}: should be valid now (it begins on 2026-11-02 00:00 UTC)"),
    ],
)
def test_its_dates_are_judged(given: dict[str, Any], state: State, text: str) -> None:
    (check,) = judged(**given)
    assert (check.state, check.found) == (state, text)
    assert bool(check.fix) == (state is not State.OK)


def test_one_without_its_chain_warns() -> None:
    check = judged(alone=True)[-1]
    assert (check.state, "no authority's certificate follows" in check.found) == (State.WARNING, True)


def test_without_https_there_is_nothing_to_judge() -> None:
    assert list(certificate(Facts("t", settings(), [], {}))) == []


@pytest.mark.parametrize(("served", "warns"), [(None, False), (80, False), (81, True)])
def test_one_that_somebody_has_renewed_is_not_replaced_without_a_word(served: int | None, warns: bool) -> None:
    found = Certificate("", (), NOW - dt.timedelta(10), NOW + dt.timedelta(80), alone=False)
    until = None if served is None else NOW + dt.timedelta(served)
    last = list(certificate(Facts("t", settings(), [], {}, certificate=found, served_until=until, now=NOW)))[-1]
    assert (last.state is State.WARNING) is warns
    if warns:
        assert "the edge serves one that ends later (2027-01-21)" in last.found
        assert "bring their files to this machine first" in last.fix
