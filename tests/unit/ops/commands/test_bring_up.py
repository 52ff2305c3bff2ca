"""When OpenRouter is asked before an update, and when it may not stand in the way."""

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest

from ops.checks import edges
from ops.checks.preflight.facts import Facts
from ops.checks.preflight.run import Examination
from ops.checks.report import Check, Report, State
from ops.commands import up
from ops.errors import EXIT_USAGE, OperationError
from tests.unit.given import LOCAL, settings
from tests.unit.ops.deployed import Played


@pytest.mark.parametrize(
    ("message", "offline", "asked"),
    [
        ("", False, True),
        ("promote: 10 -> 50 %, all gates passed", False, True),
        ("in my own words", False, True),
        ("", True, False),
        ("rollback: level 4, 50 -> 10 %", False, False),
        ("abort: 50 -> 10 %", False, False),
        ("fix: friday-t-edge-1", False, False),
    ],
)
def test_openrouter_is_asked_unless_something_is_only_brought_back(
    message: str, offline: bool, asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def before_update(*_: Any, upstream: bool, restoring: bool) -> None:
        seen.append(upstream)
        raise OperationError("a model is paid", "replace it", EXIT_USAGE)

    monkeypatch.setattr(up, "ensure_for", lambda _: None)
    monkeypatch.setattr(up, "preflight", SimpleNamespace(before_update=before_update))
    monkeypatch.setattr(up, "deploy", lambda *_: pytest.fail("went on"))
    with pytest.raises(OperationError, match="paid"):
        up.bring_up(Played(), up.UpRequest(message, offline=offline))
    assert seen == [asked]


def test_what_preflight_has_found_already_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Report("t", [Check("catalogue", "", State.FAILED, "a model is paid", "replace it")])
    monkeypatch.setattr(up, "ensure_for", lambda _: None)
    monkeypatch.setattr(up, "preflight", SimpleNamespace(before_update=lambda *_, **__: pytest.fail("asked again")))
    examined = Examination(refused, Facts("t", settings(), [], {}))
    with pytest.raises(OperationError, match="a model is paid"):
        up.bring_up(Played(), up.UpRequest("promote: 10 -> 50 %", examined=examined))


@pytest.mark.parametrize("given", [{"rolloutPercentage": 50}, {"rolloutPercentage": 0, "testers": [7]}])
def test_the_switch_is_moved_only_when_the_edge_has_taken_its_files(
    given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    monkeypatch.setattr(up, "ensure_for", lambda _: None)
    monkeypatch.setattr(up, "deploy", lambda *_, **__: SimpleNamespace(changed=0, outputs={}))
    monkeypatch.setattr("ops.checks.answers.all_well", lambda _: None)
    monkeypatch.setattr(up, "require_taken", lambda *_: order.append("taken"))
    monkeypatch.setattr(up, "Switch", lambda *_: SimpleNamespace(open=lambda: order.append("open")))
    examined = Examination(Report("t", []), Facts("t", settings(), [], {}))
    up.bring_up(Played(lambda: settings(**given)).with_hosts(), up.UpRequest(examined=examined))
    assert order == ["taken", "open"]


def test_each_edge_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def serves(*_: Any) -> list[Any]:
        asked.append("served")
        return []

    monkeypatch.setattr(up, "ensure_for", lambda _: None)
    monkeypatch.setattr(up, "deploy", lambda *_, **__: SimpleNamespace(changed=1, outputs={"fridayUrl": "http://f"}))
    monkeypatch.setattr("ops.checks.answers.all_well", lambda _: None)
    monkeypatch.setattr(up, "require_taken", lambda *_: None)
    monkeypatch.setattr(edges, "require_serving", serves)
    monkeypatch.setattr(edges, "warn", lambda *_: asked.append("warned"))
    monkeypatch.setattr(edges, "report_seen", lambda *_: asked.append("reported"))
    examined = Examination(Report("t", []), Facts("t", settings(), [], {}))
    own = {**LOCAL["friday"], "image": "friday-ai:1"}
    up.bring_up(Played(lambda: settings(friday=own)).with_hosts(), up.UpRequest(examined=examined))
    assert asked == ["served", "warned", "reported"]


@pytest.mark.parametrize(
    ("request_", "warns"),
    [
        (up.UpRequest(), False),
        (up.UpRequest("promote: 10 -> 50 %, all gates passed"), False),
        (up.UpRequest(offline=True), True),
        (up.UpRequest("rollback: level 4, 50 -> 10 %"), True),
    ],
)
def test_the_way_out_is_asked_after_an_update_and_stops_none_that_brings_back(
    request_: up.UpRequest, warns: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    examined = Examination(Report("t", []), Facts("t", settings(), [], {}))
    monkeypatch.setattr(up, "ensure_for", lambda _: None)
    monkeypatch.setattr(up, "deploy", lambda *_, **__: SimpleNamespace(changed=1, outputs={"fridayUrl": "http://x"}))
    monkeypatch.setattr(up, "require_taken", lambda *_: None)
    monkeypatch.setattr("ops.checks.answers.all_well", lambda _: None)
    monkeypatch.setattr("ops.checks.answers.ask_around", lambda *_: [])
    monkeypatch.setattr("ops.checks.edges.require_serving", lambda *_: [])
    monkeypatch.setattr("ops.checks.edges.warn", lambda *_: None)
    monkeypatch.setattr("ops.checks.way_out.require", lambda *_, warn_only: seen.append(warn_only))
    up.bring_up(Played().with_hosts(), dataclasses.replace(request_, examined=examined))
    assert seen == [warns]
