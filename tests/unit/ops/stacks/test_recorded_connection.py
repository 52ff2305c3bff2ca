"""The state's way to the host is that of whoever updated it last; whoever works on it now goes his own."""

import json
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest
from pulumi import automation as auto

from components.connection import PROVIDER
from ops.deployment import Deployment
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts import same_machine
from ops.stacks import backups, pulumi_files, recorded_connection, stacks
from ops.stacks.pulumi_files import Resource
from tests.unit.declared import declare, record
from tests.unit.given import SECRETS, settings
from tests.unit.ops.deployed import PlayedHosts

OWN = {"dockerHost": "ssh://deploy@h.example", "ssh": {"identityFile": "~/.ssh/second"}}
OUTPUTS = {"fridayUrl": "http://h.example:3000", "dockerPlugin": "5.2.0"}


def state(**changes: Any) -> list[Resource]:
    """Return the state of a stack with one container, updated with these settings."""
    (inputs,) = declare(settings(**{**OWN, **changes})).of(PROVIDER).values()
    inputs = {**inputs, "sshOpts": json.dumps(inputs["sshOpts"])} if isinstance(inputs.get("sshOpts"), list) else inputs
    rows: list[dict[str, Any]] = [
        {"urn": "urn:stack", "type": "pulumi:pulumi:Stack", "outputs": OUTPUTS},
        {"urn": "urn:provider", "type": PROVIDER, "id": "p", "inputs": inputs},
        {"urn": "urn:1", "type": "docker:index/container:Container", "id": "c" * 64},
        {"urn": "urn:2", "type": "docker:index/volume:Volume", "id": "friday-t-data"},
    ]
    return [Resource.model_validate(row) for row in rows]


FIRST = {"ssh": {"identityFile": "/home/first/.ssh/key", "knownHostsFile": "/home/first/hosts"}}


class Stack:
    """A stack that notes in which order it was asked for what."""

    name = "t"
    workspace = None

    def __init__(self, *, fails: bool = False) -> None:
        self.done: list[str] = []
        self.asked: dict[str, Any] = {}
        self._fails = fails

    def refresh(self, **asked: Any) -> None:
        self.done.append("provider" if "program" in asked else "refresh")
        if "program" in asked:
            self.asked = asked
        if self._fails:
            raise auto.CommandError(auto.CommandResult("", "error: ssh: no such identity", 255))

    def up(self, *, refresh: bool, **_: Any) -> SimpleNamespace:
        self.done.append("up --refresh" if refresh else "up")
        return SimpleNamespace(outputs={}, summary=SimpleNamespace(resource_changes={}))

    def destroy(self, **_: Any) -> None:
        self.done.append("destroy")


@pytest.fixture(autouse=True)
def second(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second operator has a stack file of their own."""
    monkeypatch.setattr(recorded_connection, "read_settings", lambda _: settings(**OWN))
    monkeypatch.setattr(pulumi_files, "note", lambda *_: False)


def given(found: list[Resource], monkeypatch: pytest.MonkeyPatch, *, fails: bool = False) -> Any:
    monkeypatch.setattr(pulumi_files, "resources", lambda _: found)
    return Stack(fails=fails)


@pytest.mark.parametrize(
    ("found", "before"),
    [([], []), (state(), []), (state(**FIRST), ["provider"]), (state(dockerHost="ssh://me@h.example"), ["provider"])],
)
def test_down_and_an_update_that_reads_the_host_go_the_operators_own_way_first(
    found: list[Resource], before: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = given(found, monkeypatch)
    stacks.destroy(stack, lambda _: None)
    stacks.update(stack, "fix: edge", lambda _: None, refresh=True)
    assert stack.done == [*before, "destroy", *before, "up --refresh"]


def test_an_update_that_reads_nothing_has_its_program_say_it(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = given(state(**FIRST), monkeypatch)
    stacks.update(stack, "up: 10 %", lambda _: None)
    assert stack.done == ["up"]


def test_only_the_provider_is_touched_and_the_outputs_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    stack, said = given(state(**FIRST), monkeypatch), list[str]()
    stacks.destroy(stack, said.append)
    assert (stack.asked["target"], stack.asked["run_program"]) == (["urn:provider"], True)
    assert said == ["the last update reached the host in another way; going the stack file's"]
    exported: dict[str, object] = {}
    monkeypatch.setattr(pulumi, "export", exported.__setitem__)
    keys = {f"friday-litellm:{key}": value for key, value in {**SECRETS, **settings_as_pulumi_gives_them()}.items()}
    pulumi.runtime.set_all_config(keys)
    try:
        made = record(stack.asked["program"])
    finally:
        pulumi.runtime.set_all_config({})
    assert "~/.ssh/second" in str(made.of(PROVIDER))
    assert exported == OUTPUTS


def settings_as_pulumi_gives_them() -> dict[str, str]:
    friday = {"environment": {"OWNER_OPEN_ID": "o", "DATABASE_URL": "file:x", "VITE_APP_ID": "v"}}
    given = {**OWN, "upstream": "simulator", "friday": friday}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}


def test_a_way_that_fails_is_said_in_pulumis_words_and_nothing_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = given(state(**FIRST), monkeypatch, fails=True)
    with pytest.raises(OperationError, match="taking t down failed") as caught:
        stacks.destroy(stack, lambda _: None)
    assert "no such identity" in caught.value.details
    assert stack.done == ["provider"]


def test_a_state_that_was_cut_short_is_checked_before_the_host_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = given(state(**FIRST), monkeypatch)
    monkeypatch.setattr(stacks, "open_stack", lambda *_, **__: stack)
    monkeypatch.setattr(pulumi_files, "release_dead", lambda _: "")
    monkeypatch.setattr(pulumi_files, "is_locked", lambda _: False)
    monkeypatch.setattr(backups, "put_back", lambda _: "copy.json")
    stacks.open_to_change("t", lambda _: None, lambda found, whole: stack.done.append(f"{len(found)} {whole}"))
    assert stack.done == ["4 False", "provider", "refresh"]

    def refuse(*_: Any) -> None:
        raise OperationError("another machine", "down", EXIT_USAGE)

    stack.done.clear()
    with pytest.raises(OperationError, match="another machine"):
        stacks.open_to_change("t", lambda _: None, refuse)
    assert stack.done == []


@pytest.mark.parametrize(
    ("found", "asked"),
    [
        ([], []),
        (state()[:2], []),  # nothing is on the host
        (state(), []),
        (state(dockerHost="unix:///var/run/docker.sock"), [("unix:///var/run/docker.sock", {"c" * 64})]),
    ],
)
def test_a_machine_is_asked_only_where_the_state_has_something_at_another_address(
    found: list[Resource], asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    deployment = Deployment("t", settings(**OWN), lambda *_: None)
    deployment.__dict__["hosts"] = PlayedHosts(by_address={OWN["dockerHost"]: "client"})  # type: ignore[dict-item]
    monkeypatch.setattr(same_machine, "require", lambda _, __, client, address, ids: seen.append((address, ids)))
    deployment.require_same_machine(found)
    assert seen == asked
