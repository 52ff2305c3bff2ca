"""`status` and `history`: where the rollout stands, as text and as JSON."""

import datetime as dt
import json
from types import SimpleNamespace
from typing import Any

import pytest

from cli.main import main
from ops.checks import edges
from ops.checks.migration import Record
from ops.commands import status
from ops.deployment import Deployment
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts.docker_host import Instance
from ops.hosts.one_off import Run
from ops.hosts.swarm_nodes import Noted
from ops.metrics.alertmanager import Alerting, Firing
from ops.report import collect
from ops.rollout.gates.effect import Usage
from ops.rollout.history import Entry
from ops.stacks import stacks
from tests.unit.given import settings
from tests.unit.ops.deployed import Played
from tests.unit.ops.evidence import entry, sound
from tests.unit.ops.fake_alertmanager import firing

OUTPUTS = {"rolloutPercentage": 10, "litellmEnabled": True, "fridayUrl": "http://friday", "prometheusUrl": "http://p"}
RUNNING = [Instance("friday-t-friday-1", "friday", "i:1", "running", "healthy", 5)]
IMAGE = {"friday-litellm:friday": '{"image": "registry.example/friday@sha256:0123456789"}'}


class World:
    """A stack with a history, outputs and containers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entries: list[Entry] = [
            entry(1, 10, "promote: 0 -> 10 %, all gates passed: at last", config=IMAGE),
            entry(50, 0, "somebody's own words", commit="0123456789abcdef", dirty=True),
            entry(60, 0, kind="refresh", message=""),
        ]
        self.outputs: dict[str, Any] = OUTPUTS
        self.running = RUNNING
        opened = SimpleNamespace(outputs=lambda: {k: SimpleNamespace(value=v) for k, v in self.outputs.items()})
        self.manager = manager = SimpleNamespace(instances=lambda _: self.running)
        self.settings = settings(rolloutPercentage=10)
        played = Played(lambda: self.settings).with_hosts(manager).given(stack=opened)
        played.entries = lambda: self.entries
        played.everywhere(monkeypatch)
        monkeypatch.setattr(stacks, "read_history", lambda _, most=500: self.entries[:most])
        monkeypatch.setattr(status, "resources", lambda _: [])
        monkeypatch.setattr(status, "sources", lambda *_: None)
        monkeypatch.setattr(collect, "measure", lambda *_: sound(gateway_up=0.5))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("COLUMNS", "200")
    return World(monkeypatch)


def test_a_status_tells_step_soak_gates_and_the_last_updates(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "t"]) == 0
    text = capsys.readouterr().out
    assert "t: 10 % of users through LiteLLM, all healthy" in text
    assert "next: 50 %" in text
    assert "at least 99.9 %" in text
    assert "at last" in text
    assert "http://p" in text


@pytest.mark.parametrize(("updating", "code"), [(False, 1), (True, 0)])
def test_a_container_that_somebody_removed_is_named(
    updating: bool, code: int, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """While an update runs it replaces some: then those of the last one are not expected."""
    world.outputs = {**OUTPUTS, "instances": {"friday": ["friday-t-friday-1"], "redis": ["friday-t-redis-1"]}}
    monkeypatch.setattr(status, "is_locked", lambda _: updating)
    assert main(["status", "t"]) == code
    text = capsys.readouterr().out
    assert ("1 container missing" in text) is not updating
    assert ("warning: friday-t-redis-1 is gone from the host; ./fridayctl verify t" in text) is not updating


def test_what_fires_and_who_is_not_told_of_it_is_shown(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = Alerting([Firing.model_validate(firing("LatencyHigh"))], {"webhook": 2})
    monkeypatch.setattr(status, "alerting", lambda *_: found)
    assert main(["status", "t"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (
        "alert: LatencyHigh (warning, litellm) since 2026-11-30 02:14 UTC: p95 is 9 s; next: ./fridayctl status t"
        in lines
    )
    assert any(line.startswith("warning: alerts do not reach notify.webhook: 2 of the attempts") for line in lines)
    assert main(["status", "t", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [each["labels"]["alertname"] for each in document["alerts"]] == ["LatencyHigh"]


def test_a_status_is_a_document_too(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.entries.insert(0, entry(0, 10, "pause: 10 %: holidays"))
    assert main(["status", "t", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["healthy"]
    assert found["step"]["percentage"] == 10
    assert found["step"]["paused"] == "pause: 10 %: holidays"
    assert {each["gate"]: each["outcome"] for each in found["gates"]}["gateway"] == "fail"
    assert found["history"][0]["message"] == "pause: 10 %: holidays"
    assert "config" not in found["history"][0]


def test_a_replica_that_an_edge_leaves_out_and_an_unused_percentage_are_said(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(edges, "left_out", lambda *_: ["edge-1 on h: leaves friday-1 out, which answers 429"])
    unused = Usage(gateway=0, users=240, only_chats=True)
    monkeypatch.setattr(collect, "measure", lambda *_: sound(usage=unused))
    assert main(["status", "t"]) == 1
    text = capsys.readouterr().out
    assert "all healthy, but an edge leaves replicas out\n" in text
    assert "warning: edge-1 on h: leaves friday-1 out, which answers 429\n" in text
    assert "warning: 10 % declared, 0 gateway calls in 48 h although users sent 240 chats: does the app obey" in text
    main(["status", "t", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (found["healthy"], len(found["warnings"])) == (False, 2)


def test_what_is_to_be_known_of_a_swarms_nodes_is_shown_and_is_no_failure(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(status, "SwarmManager", SimpleNamespace)
    world.manager.noted = lambda stack, address: [Noted(f"node x of {stack} is drained", f"on {address}: end that")]
    assert main(["status", "t"]) == 0
    assert f"warning: node x of t is drained; the fix: on {world.settings.docker_host}: end that\n" in (
        capsys.readouterr().out
    )


def test_the_migration_on_record_is_shown(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run("friday-t-migrate-1", dt.datetime(2026, 11, 30, 11, 21, tzinfo=dt.UTC), 0)
    monkeypatch.setattr(status, "record", lambda _: Record(run, True))
    main(["status", "t"])
    assert "migration     ended with exit code 0 at 2026-11-30 11:21 UTC; as the" in capsys.readouterr().out
    main(["status", "t", "--json"])
    assert json.loads(capsys.readouterr().out)["migration"]["exit_code"] == 0


def test_an_account_that_openrouter_refuses_is_said_with_what_to_change(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(collect, "measure", lambda *_: sound(account_refused={"quota": 9.0, "data_policy": 1.0}))
    assert main(["status", "t"]) == 0
    text = capsys.readouterr().out
    assert "warning: OpenRouter refuses the gateway's account (data_policy): change the privacy settings" in text
    monkeypatch.setattr(collect, "measure", lambda *_: sound(account_refused={"quota": 9.0}))
    main(["status", "t"])
    assert "refuses" not in capsys.readouterr().out


def test_a_model_that_is_closed_to_the_gateway_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(collect, "measure", lambda *_: sound(closed={"a/b:free": 60.0, "c/d:free": 0.0}))
    assert main(["status", "t"]) == 0
    text = capsys.readouterr().out
    assert "warning: OpenRouter lists a/b:free as free, and closes them to this gateway: replace them in models" in text


def test_a_host_that_is_lost_meanwhile_hides_nothing_else(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object) -> None:
        raise OperationError("connection lost: ssh://h", "look")

    monkeypatch.setattr(status, "edge_servers", lost)
    assert main(["status", "t"]) == 0


def test_the_last_step_and_a_pause_are_said(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.entries = [entry(1, 100, "pause: 100 %: done?"), entry(1000, 100)]
    world.outputs = {**OUTPUTS, "rolloutPercentage": 100}
    main(["status", "t"])
    text = capsys.readouterr().out
    assert "its soak is over, it is the last step; paused (pause: 100 %: done?)" in text
    assert "the stack file says 10 %" in text


def test_what_is_not_deployed_has_no_step_and_no_gates(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.outputs, world.running = {}, []
    world.entries.insert(0, entry(0, 10, kind="destroy"))
    assert main(["status", "t"]) == 1
    text = capsys.readouterr().out
    assert "not deployed" in text
    assert "gate" not in text.replace("gates passed", "")
    assert "next: ./fridayctl up t" in text


def test_nothing_here_may_be_a_stack_on_another_machine(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def moved(*_: Any) -> None:
        raise OperationError("t runs on old, and the stack file names new", "take it down there", EXIT_USAGE)

    monkeypatch.setattr(Deployment, "require_same_machine", moved)
    assert main(["status", "t"]) == 0
    world.running = []
    assert main(["status", "t"]) == EXIT_USAGE
    assert "t runs on old" in capsys.readouterr().err


def test_a_stack_that_this_state_knows_nothing_of_may_be_anothers(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def of_another(*_: Any) -> None:
        raise OperationError("t runs on here by another state", "work with that one", EXIT_USAGE)

    monkeypatch.setattr(Deployment, "require_own_state", of_another)
    assert main(["status", "t"]) == 0
    world.outputs = {}
    assert main(["status", "t"]) == EXIT_USAGE
    assert "by another state" in capsys.readouterr().err


def test_a_flag_that_is_off_is_0_percent(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.outputs = {**OUTPUTS, "litellmEnabled": False}
    main(["status", "t", "--json"])
    assert json.loads(capsys.readouterr().out)["deployed_percentage"] == 0


def test_the_history_has_age_percentage_image_verb_reason_and_result(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.entries[1] = world.entries[1].model_copy(update={"result": "failed"})
    assert main(["history", "t"]) == 0
    first, second, third = capsys.readouterr().out.splitlines()[1:]
    assert "10 " in first
    assert "friday friday@sha256:0123456789"[-10:] in first
    assert "promote" in first
    assert "0 -> 10 %, all gates passed: at last" in first
    assert "built at 012345678+" in second
    assert "somebody's own words" in second
    assert "failed" in second
    assert "refresh" in third


def test_the_history_is_a_document_too(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", "t", "--json", "--last", "1"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["verb"], found["percentage"], found["result"]) == ("promote", 10, "succeeded")
    assert found["config"] == world.entries[0].config


def test_a_stack_without_history_says_what_to_do(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.entries = []
    assert main(["history", "t"]) == 0
    assert "next: ./fridayctl up t" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("days", "shown"), [(40, "valid for 40 days, until "), (-1, "no longer valid, since "), (None, "")]
)
def test_a_status_tells_how_long_the_certificate_is_valid(
    world: World,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    days: int | None,
    shown: str,
) -> None:
    ends = None if days is None else dt.datetime.now(dt.UTC) + dt.timedelta(days=days, hours=1)
    tls = {"certificateFile": "/c.pem", "keyFile": "/k.pem"}
    world.settings = settings(rolloutPercentage=10, edge={"tls": tls})
    monkeypatch.setattr(status, "served_until", lambda *_: ends)
    main(["status", "t"])
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("certificate ")]
    assert [line.startswith(f"certificate   {shown}") for line in lines] == ([True] if shown else [])
    main(["status", "t", "--json"])
    assert json.loads(capsys.readouterr().out)["certificate_ends"] == (ends.isoformat() if ends else None)
