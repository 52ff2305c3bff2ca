"""A stack remembers its Docker plugin: another one reads the hosts first, and an older one is refused."""

from types import SimpleNamespace
from typing import Any

import pytest

from ops.checks.preflight import run
from ops.checks.report import State
from ops.errors import EXIT_USAGE, OperationError
from ops.rollout.history import Verb
from ops.stacks import docker_plugin, pulumi_files, stacks
from ops.stacks.pulumi_files import Resource
from toolchain import versions

SERVICE = Resource.model_validate({"urn": "urn:service", "type": "docker:index/service:Service"})
NETWORK = Resource.model_validate({"urn": "urn:network", "type": "docker:index/network:Network"})
UNFINISHED = Resource.model_validate({"urn": "urn:stack", "type": "pulumi:pulumi:Stack"})
SAME = f"{versions.DOCKER_PROVIDER} (official)"
NEWER = "99.0.0 (own build)"


def made_by(plugin: str | None, *others: Resource) -> list[Resource]:
    outputs = {"fridayUrl": "http://friday"} | ({} if plugin is None else {docker_plugin.OUTPUT: plugin})
    return [UNFINISHED.model_copy(update={"outputs": outputs}), *others]


class Stack:
    """A stack that notes whether its hosts were read first."""

    name = "t"

    def __init__(self) -> None:
        self.refreshed: bool | None = None

    def up(self, *, refresh: bool, **_: Any) -> SimpleNamespace:
        self.refreshed = refresh
        return SimpleNamespace(outputs={}, summary=SimpleNamespace(resource_changes={}))


def updated(found: list[Resource], message: str, monkeypatch: pytest.MonkeyPatch) -> tuple[bool | None, list[str]]:
    """Update a stack whose state records this; return whether the hosts were read first, and what was said."""
    monkeypatch.setattr(pulumi_files, "resources", lambda _: found)
    monkeypatch.setattr(pulumi_files, "note", lambda *_: False)
    stack, said = Stack(), list[str]()
    stacks.update(stack, message, said.append)  # type: ignore[arg-type]
    return stack.refreshed, said


@pytest.mark.parametrize(
    ("found", "other"),
    [
        ([], ""),
        ([UNFINISHED, SERVICE], ""),  # its first update failed
        (made_by(None, NETWORK), ""),
        (made_by(SAME, SERVICE), ""),
        (made_by(versions.DOCKER_PROVIDER, SERVICE), ""),
        (made_by(None, SERVICE), "an earlier one"),
        (made_by("5.1.0 (official)", SERVICE), "5.1.0 (official)"),
    ],
)
def test_the_hosts_are_read_first_after_another_plugin(
    found: list[Resource], other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert docker_plugin.other(found) == other
    refreshed, said = updated(found, "up: 50 %", monkeypatch)
    assert refreshed is bool(other)
    assert said == ([f"last updated with another Docker plugin ({other}); reading the hosts first"] if other else [])


def test_an_older_plugin_is_refused_with_both_ways_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OperationError, match="with the Docker plugin 99") as caught:
        updated(made_by(NEWER, SERVICE), "up: 50 %", monkeypatch)
    assert caught.value.exit_code == EXIT_USAGE
    assert "git pull, then ./fridayctl setup" in caught.value.fix
    assert "pulumi up --refresh -s t" in caught.value.fix


def test_going_back_is_not_refused_for_an_older_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    refreshed, _ = updated(made_by(NEWER, SERVICE), f"{Verb.ROLLBACK} level 1", monkeypatch)
    assert refreshed is True


@pytest.mark.parametrize(
    ("found", "state", "words"),
    [
        (made_by(SAME, SERVICE), State.OK, versions.DOCKER_PROVIDER),
        (made_by(None, SERVICE), State.OK, "an earlier one before: the next update reads the hosts first"),
        (made_by(NEWER, SERVICE), State.FAILED, "was last updated with the Docker plugin 99.0.0"),
        (None, State.OK, versions.DOCKER_PROVIDER),
    ],
)
def test_preflight_says_which_plugin(
    found: list[Resource] | None, state: State, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "open_known", lambda _: None if found is None else Stack())
    monkeypatch.setattr(pulumi_files, "resources", lambda _: found)
    check = run._docker_plugin("t")
    assert check.state is state
    assert words in check.found
    assert bool(check.fix) is (state is State.FAILED)


def test_preflight_skips_it_where_the_state_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> None:
        raise OperationError("the state of t cannot be read", "look", EXIT_USAGE)

    monkeypatch.setattr(run, "open_known", broken)
    assert run._docker_plugin("t").state is State.SKIPPED
