"""What counts as drift, its words, and what is put right on the host before an update."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi import automation as auto
from pulumi.automation.events import OpType

from cli.main import main
from ops.checks import drift
from ops.checks.drift import CONTAINER, Drift, Fixed, Recorded
from ops.commands.up import Up
from ops.errors import EXIT_FAILED, EXIT_USAGE, OperationError
from tests.unit.given import settings

PREFIX = "urn:pulumi:t::friday-litellm::friday-litellm:components:FridayStack$"
FRIDAY = "friday-1-01234567"
NETWORK = {"name": "friday-t-app", "aliases": ["friday"]}


def resource(name: str, kind: str = CONTAINER, **inputs: Any) -> dict[str, Any]:
    declared = {"name": f"friday-t-{name}", "mustRun": True, "networksAdvanced": [NETWORK]}
    return {"urn": f"{PREFIX}{kind}::{name}", "type": kind, "id": f"{name}-id", "inputs": {**declared, **inputs}}


STATE = [
    resource(FRIDAY),
    resource("redis-1"),
    resource("friday-files-01234567", mustRun=False, networksAdvanced=[]),
    {"urn": f"{PREFIX}pulumi:pulumi:Stack::t", "type": "pulumi:pulumi:Stack"},
]


class Seen:
    """A container of the host; it notes what was done to it."""

    def __init__(self, name: str, status: str = "running", networks: tuple[str, ...] = ("friday-t-app",)) -> None:
        self.id, self.name, self.status = f"{name}-id", f"friday-t-{name}", status
        self.attrs = {"State": {"ExitCode": 137}, "NetworkSettings": {"Networks": {each: {} for each in networks}}}
        self.done: list[str] = []

    def rename(self, name: str) -> None:
        self.done.append(f"renamed {name}")

    def unpause(self) -> None:
        self.done.append("unpaused")


class Host:
    def __init__(self, *seen: Seen) -> None:
        self._seen = seen

    def containers(self, _: str) -> list[Seen]:
        return list(self._seen)

    def remove_strays(self, _: str, known: set[str]) -> list[str]:
        return [each.name for each in self._seen if each.id not in known]

    def join(self, network: str, container: str, aliases: list[str]) -> None:
        self._of(container).done.append(f"joined {network} as {', '.join(aliases)}")

    def leave(self, network: str, container: str) -> None:
        self._of(container).done.append(f"left {network}")

    def _of(self, container: str) -> Seen:
        return next(each for each in self._seen if each.id == container)


class Stack:
    """A stack whose state is STATE; a refresh finds `steps`, or fails."""

    name = "t"

    def __init__(self, *steps: Any, fails: bool = False, state: list[dict[str, Any]] | None = None) -> None:
        self._steps = steps
        self._fails = fails
        self._state = STATE if state is None else state
        self.excluded: list[str] = []

    def export_stack(self) -> Any:
        return SimpleNamespace(deployment={"resources": self._state})

    def preview_refresh(self, exclude: list[str], on_event: Any, **options: Any) -> None:
        assert options["run_program"] is False
        self.excluded = [urn.rsplit("::", 1)[1] for urn in exclude]
        for step in self._steps:
            on_event(SimpleNamespace(diagnostic_event=None, res_outputs_event=SimpleNamespace(metadata=step)))
        if self._fails:
            said = SimpleNamespace(severity="error", message="the daemon is gone\n")
            on_event(SimpleNamespace(diagnostic_event=said, res_outputs_event=None))
            raise auto.CommandError(SimpleNamespace(code=1, stdout="", stderr="x"))  # type: ignore[arg-type]


def step(op: OpType, name: str, before: Any = None, now: Any = None, changed: tuple[str, ...] = ()) -> Any:
    changed = changed or tuple(key for key in now or {} if (before or {}).get(key) != (now or {})[key])
    old, new = (SimpleNamespace(outputs=values) for values in (before or {}, now or {}))
    return SimpleNamespace(
        op=op, urn=f"{PREFIX}x::{name}", old=old, new=new, diffs=changed, detailed_diff=dict.fromkeys(changed)
    )


def find(stack: Stack, *seen: Seen) -> list[Drift]:
    return drift._find(stack, settings(), Host(*seen))  # type: ignore[arg-type]


WELL = [Seen(FRIDAY), Seen("redis-1"), Seen("friday-files-01234567", "created", ())]


def test_a_host_as_it_was_left_has_no_drift() -> None:
    same = step(OpType.SAME, FRIDAY)
    assert find(Stack(same), *WELL) == []


def test_a_stopped_container_is_told_and_kept_from_the_provider_that_would_remove_it() -> None:
    stack = Stack()
    found = find(stack, Seen(FRIDAY, "exited"), *WELL[1:])
    assert found == [Drift("stopped", FRIDAY, "exited, exit code 137")]
    assert stack.excluded == [FRIDAY]


def test_a_paused_container_is_read_like_a_running_one() -> None:
    stack = Stack()
    assert find(stack, Seen(FRIDAY, "paused"), *WELL[1:]) == [Drift("paused", FRIDAY)]
    assert stack.excluded == []


def test_a_container_that_the_state_does_not_know_is_told() -> None:
    (found,) = find(Stack(), *WELL, Seen("odd"))
    assert (found.kind, found.name) == ("unknown", "friday-t-odd")


def test_networks_are_compared_with_what_was_declared() -> None:
    found = find(Stack(), Seen(FRIDAY, networks=("friday-t-gateway",)), *WELL[1:])
    assert [each.words for each in found] == [
        "is not on the network friday-t-app",
        "is on the network friday-t-gateway",
    ]


def test_what_pulumi_reads_is_put_into_words() -> None:
    steps = [
        step(OpType.DELETE, "network-app"),
        step(OpType.UPDATE, "redis-1", {"memory": 64, "restart": "no"}, {"memory": 300, "restart": "no"}),
        step(
            OpType.UPDATE,
            "edge",
            {"taskSpec": {"env": {"KEY": "secret"}, "ports": [{"external": 80}]}, "mode": {}},
            {"taskSpec": {"env": {"KEY": "other"}, "ports": [{"external": 81}]}, "mode": {"global": True}},
            changed=("taskSpec.env.KEY", "taskSpec.ports[0].external", "mode.global", "mode.x.y", "taskSpec.ports[7]"),
        ),
    ]
    assert find(Stack(*steps), *WELL) == [
        Drift("removed", "network-app"),
        Drift("changed", "redis-1", "memory is 300, was 64"),
        Drift("changed", "edge", "taskSpec.env.KEY"),
        Drift("changed", "edge", "taskSpec.ports[0].external is 81, was 80"),
        Drift("changed", "edge", "mode.global"),
        Drift("changed", "edge", "mode.x.y"),
        Drift("changed", "edge", "taskSpec.ports[7]"),
    ]


def test_a_stack_that_is_not_deployed_has_nothing_to_compare() -> None:
    with pytest.raises(OperationError, match="t is not deployed") as caught:
        find(Stack(state=[]))
    assert caught.value.exit_code == EXIT_USAGE


def test_a_host_that_cannot_be_read_is_told_in_pulumis_words() -> None:
    with pytest.raises(OperationError, match="cannot be read") as caught:
        find(Stack(fails=True), *WELL)
    assert caught.value.details == "the daemon is gone"


def test_a_service_of_a_swarm_that_the_state_does_not_know_is_drift() -> None:
    state = [Recorded("a::friday", "docker:index/service:Service", "known")]
    services = [{"ID": id_, "Spec": {"Name": f"friday-t-{id_}"}} for id_ in ("known", "odd")]
    (found,) = drift.unknown_services(state, services)
    assert (found.kind, found.name) == ("unknown", "friday-t-odd")


def test_recorded_reads_an_exported_state() -> None:
    first, *_, last = drift.recorded({"resources": STATE})
    assert (first.name, first.runs, last.name, last.runs) == (FRIDAY, True, "t", False)
    assert drift.recorded({}) == []
    assert not Recorded("a::b", "docker:index/network:Network", "x", {"mustRun": True}).runs


class Repair:
    """Plays `drift --fix`: the first look finds drift, the second what is `left`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, first: list[Drift], left: list[Drift], *seen: Seen) -> None:
        looks = iter([first, left])
        self.messages: list[tuple[str, bool]] = []
        self.told: list[str] = []
        monkeypatch.setattr(drift, "read_settings", lambda _: settings())
        monkeypatch.setattr(drift, "engine_of", lambda _: Host(*seen))
        monkeypatch.setattr(drift, "open_stack", lambda _: Stack())
        monkeypatch.setattr(drift, "_find", lambda *_: next(looks))
        monkeypatch.setattr(drift, "bring_up", self._bring_up)

    def _bring_up(self, stack: str, message: str, tell: Any, *, refresh: bool) -> Up:
        self.messages.append((message, refresh))
        return Up(3, {}, [])

    def run(self) -> Fixed:
        return drift.fix("t", lambda _, text: self.told.append(text))


def test_a_fix_puts_the_host_right_and_updates_after_a_look_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    friday, redis, odd = Seen(FRIDAY), Seen("redis-1", "paused"), Seen("odd")
    found = [Drift("changed", FRIDAY, "memory is 300, was 256"), Drift("paused", "redis-1")]
    repair = Repair(monkeypatch, found, [], friday, redis, odd)
    assert repair.run() == Fixed(found, 3)
    assert repair.messages == [(f"fix: {FRIDAY}, redis-1", True)]
    assert friday.done == []  # it serves, and what changed of it is the update's to change
    assert redis.done == ["unpaused"]
    assert any("friday-t-odd" in line for line in repair.told)


def test_a_renamed_container_gets_its_name_back(monkeypatch: pytest.MonkeyPatch) -> None:
    friday = Seen(FRIDAY)
    friday.name = "friday-t-elsewhere"
    Repair(monkeypatch, [Drift("changed", FRIDAY, "name is x, was y")], [], friday).run()
    assert friday.done == [f"renamed friday-t-{FRIDAY}"]


def test_a_container_gets_its_networks_back_and_goes_on_serving(monkeypatch: pytest.MonkeyPatch) -> None:
    friday, files = Seen(FRIDAY, networks=("x",)), Seen("friday-files-01234567", "created", ("none",))
    Repair(monkeypatch, [Drift("changed", FRIDAY, "is on the network x")], [], friday, files).run()
    assert friday.done == ["joined friday-t-app as friday", "left x"]
    assert files.done == []  # it has none, and docker calls that one too


def test_without_drift_nothing_is_updated(monkeypatch: pytest.MonkeyPatch) -> None:
    repair = Repair(monkeypatch, [], [])
    assert repair.run() == Fixed([], 0)
    assert repair.messages == []


def test_what_could_not_be_brought_back_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    stays = Drift("changed", "redis-1", "memory is 300, was 64")
    with pytest.raises(OperationError, match="not everything could be brought back") as caught:
        Repair(monkeypatch, [stays], [stays]).run()
    assert caught.value.exit_code == EXIT_FAILED
    assert "memory is 300" in caught.value.details


def test_the_command_says_what_differs_and_what_next(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(drift, "find", lambda _: [Drift("removed", "network-app"), Drift("changed", "x", "a is b")])
    assert main(["drift", "t"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "t: not as the last update left it",
        "  removed   network-app",
        "  changed   x: a is b",
        "next: ./fridayctl drift t --fix",
    ]
    assert main(["drift", "t", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["drift"][0] == {"kind": "removed", "name": "network-app", "words": ""}


def test_the_command_says_when_there_is_no_drift(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(drift, "find", lambda _: [])
    monkeypatch.setattr(drift, "fix", lambda *_: Fixed([], 0))
    assert main(["drift", "t"]) == 0
    assert main(["drift", "t", "--fix"]) == 0
    assert capsys.readouterr().out.splitlines() == ["t: no drift", "done      no drift, nothing to fix"]
    assert main(["drift", "t", "--fix", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"stack": "t", "fixed": True, "changed": 0, "drift": []}
