"""Updates that meet a host which is not as the state says, and failures that bring the containers' own words."""

from collections.abc import Callable, Collection
from types import SimpleNamespace
from typing import Any

import pytest

from ops.checks import answers
from ops.commands import deploy
from ops.deployment import Deployment
from ops.errors import EXIT_FAILED, EXIT_USAGE, OperationError
from ops.stacks import backups, pulumi_files, stacks
from ops.stacks.pulumi_files import HeldError, Resource
from ops.stacks.stacks import Update
from tests.unit.given import settings
from tests.unit.ops.deployed import Played, PlayedHosts

TAKEN = OperationError("failed", "fix", details="the name x is already in use by container y")
NO_EDGE = "no edge runs: no user is served"
OUTPUTS: dict[str, object] = {"fridayUrl": "http://127.0.0.1:1", "instances": {"friday": ["friday-t-1"]}}


class Host:
    """A Docker host with the given containers; it remembers what was asked of it."""

    def __init__(self, names: set[str]) -> None:
        self.has = names
        self.swept: list[set[str]] = []
        self.cleared: set[str] = set()
        self.met: list[tuple[str, str]] = []

    def names(self, _: str) -> set[str]:
        return self.has

    def reasons(self, _: str) -> str:
        return "friday-t-1: exited"

    def remove_orphans(self, _: str, known: set[str]) -> list[str]:
        self.swept.append(known)
        return ["friday-t-stray"]

    def remove_leftovers(self, _: str) -> list[str]:
        return ["friday-t-left"]

    def remove_unhealthy(self, _: str, ids: Collection[str]) -> dict[str, str]:
        self.cleared = set(ids)
        return {each: f"name of {each}" for each in sorted(ids) if each != "late"}

    def containers(self, _: str) -> list[Any]:
        return []

    def guests(self, _: str) -> list[tuple[str, str]]:
        return self.met


class Pulumi:
    """Plays the updates: each call takes the next result, raising it when it is an error."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, *results: Update | OperationError, dead: bool = False, cut: str = ""
    ) -> None:
        self._results = list(results)
        self.made: Callable[[], object] = lambda: None
        self.refreshed: list[bool] = []
        self.read: list[str] = []
        opened = SimpleNamespace(name="t", refresh=lambda **_: self.read.append("the hosts"))
        monkeypatch.setattr(stacks, "open_stack", lambda _, **__: opened)
        monkeypatch.setattr(pulumi_files, "release_dead", lambda _: "up: 10 %" if dead else "")
        monkeypatch.setattr(backups, "put_back", lambda _: cut)
        monkeypatch.setattr(
            deploy, "resources", lambda _: [Resource.model_validate({"urn": "u", "type": "x", "id": "known"})]
        )
        monkeypatch.setattr(deploy, "update", self.update)
        monkeypatch.setattr(deploy, "generate_missing", lambda *_: None)

    def update(self, _: Any, message: str, tell: Any, *, refresh: bool = False) -> Update:
        self.refreshed.append(refresh)
        self.made()
        result = self._results.pop(0)
        if isinstance(result, OperationError):
            raise result
        return result


def run(host: Host) -> tuple[Update, list[str]]:
    told: list[str] = []
    deployment = Deployment("t", settings(), lambda _, text: told.append(text))
    deployment.__dict__["hosts"] = PlayedHosts(host)
    return deploy.deploy(deployment, "why"), told


def test_a_calm_update_is_one_update(monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi = Pulumi(monkeypatch, Update(0, OUTPUTS), dead=True)
    done, told = run(Host({"friday-t-1"}))
    assert (done.changed, pulumi.refreshed) == (0, [False])
    assert told == ["the last update (up: 10 %) was killed; its lock is freed", "nothing to change"]


def test_after_a_state_that_was_cut_short_the_hosts_are_read_first(monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi = Pulumi(monkeypatch, Update(0, OUTPUTS), cut="20261124T120000Z.json")
    _, told = run(Host({"friday-t-1"}))
    assert pulumi.read == ["the hosts"]
    assert told[0] == "the state was cut short; 20261124T120000Z.json is put in its place, and the host is read"


def test_a_state_that_another_update_is_writing_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi = Pulumi(monkeypatch, Update(0, OUTPUTS), cut="20261124T120000Z.json")
    monkeypatch.setattr(pulumi_files, "is_locked", lambda _: True)
    run(Host({"friday-t-1"}))
    assert pulumi.read == []


def test_a_vanished_container_is_made_again_after_a_refresh(monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi = Pulumi(monkeypatch, Update(0, OUTPUTS), Update(1, OUTPUTS))
    host = Host(set())
    pulumi.made = lambda: host.has.update({"friday-t-1"} if pulumi.refreshed[-1] else ())
    done, told = run(host)
    assert (done.changed, pulumi.refreshed) == (1, [False, True])
    assert "friday-t-1" in told[0]


def test_what_does_not_hold_when_it_was_made_again_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    Pulumi(monkeypatch, Update(1, OUTPUTS), Update(1, OUTPUTS))
    with pytest.raises(OperationError, match="did not hold: friday-t-1") as caught:
        run(Host(set()))
    assert caught.value.details == f"friday-t-1: exited\n{NO_EDGE}"


@pytest.mark.parametrize("first", [Update(1, OUTPUTS), TAKEN])
def test_a_refusal_after_something_was_changed_is_a_failure(
    first: Update | OperationError, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, and being held, say that nothing was changed: the stack file would be put back."""
    for refusal in (OperationError("no space left", "make room", EXIT_USAGE), HeldError("held", "wait")):
        Pulumi(monkeypatch, first, refusal)
        with pytest.raises(OperationError, match=refusal.message) as caught:
            run(Host(set()))
        assert (type(caught.value), caught.value.exit_code) == (OperationError, EXIT_FAILED)


def test_a_replica_that_the_engine_itself_failed_to_start_is_tried_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unlucky(Host):
        def reasons(self, _: str) -> str:
            return "task | failed: starting container failed: unable to remount dir as readonly: busy"

    failed = OperationError("failed", "fix", details="service rollback completed")
    pulumi = Pulumi(monkeypatch, failed, Update(1, OUTPUTS))
    done, told = run(Unlucky({"friday-t-1"}))
    assert (done.changed, pulumi.refreshed) == (1, [False, False])
    assert "trying once more" in told[0]
    Pulumi(monkeypatch, failed, failed)
    with pytest.raises(OperationError, match="failed"):
        run(Unlucky({"friday-t-1"}))


def test_a_stray_container_in_the_way_is_removed_and_the_update_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi = Pulumi(monkeypatch, TAKEN, Update(2, OUTPUTS))
    host = Host({"friday-t-1"})
    done, told = run(host)
    assert (done.changed, pulumi.refreshed, host.swept) == (2, [False, True], [{"known"}])
    assert any("friday-t-stray" in line for line in told)


def test_any_other_failure_brings_the_containers_words(monkeypatch: pytest.MonkeyPatch) -> None:
    Pulumi(monkeypatch, OperationError("failed", "fix", details="not healthy"))
    with pytest.raises(OperationError) as caught:
        run(Host({"friday-t-1"}))
    assert caught.value.details == f"not healthy\nfriday-t-1: exited\n{NO_EDGE}"


def test_a_host_that_is_lost_meanwhile_does_not_hide_why_the_update_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Lost(Host):
        def reasons(self, _: str) -> str:
            raise OperationError("connection lost: ssh://h", "look")

    Pulumi(monkeypatch, OperationError("failed", "fix", details="not healthy"))
    with pytest.raises(OperationError, match="failed") as caught:
        run(Lost({"friday-t-1"}))
    assert caught.value.details == f"not healthy\nconnection lost: ssh://h\n{NO_EDGE}"


@pytest.mark.parametrize("refusal", [OperationError("no space", "make room", EXIT_USAGE), HeldError("held", "wait")])
def test_an_update_that_has_changed_nothing_asks_no_edge(
    refusal: OperationError, monkeypatch: pytest.MonkeyPatch
) -> None:
    Pulumi(monkeypatch, refusal)
    with pytest.raises(OperationError) as caught:
        run(Host({"friday-t-1"}))
    assert caught.value.details == "friday-t-1: exited"


def test_no_quota_of_the_real_upstream_is_spent_on_the_check() -> None:
    told: list[str] = []
    real = Played(lambda: settings(upstream="openrouter"), lambda _, text: told.append(text)).with_hosts()
    assert answers.ask_around(answers.Friday("http://127.0.0.1:1", "/api/chat"), real, 50) == []
    assert told[0] == "what users need is healthy"


def take_down(monkeypatch: pytest.MonkeyPatch, *fails: OperationError) -> tuple[int, list[str]]:
    """Take a stack down whose first attempts fail; return how many there were, and the first words of what was told."""
    left = list(fails)
    attempts: list[str] = []
    told: list[str] = []

    def destroy(stack: Any, _: Any) -> None:
        attempts.append(stack.name)
        if left:
            raise left.pop(0)

    deployment = Deployment("t", settings(), lambda _, text: told.append(text))
    deployment.__dict__["hosts"] = PlayedHosts(Host(set()))
    monkeypatch.setattr(deploy, "resources", lambda _: [])
    monkeypatch.setattr(stacks, "open_stack", lambda name, **_: SimpleNamespace(name=name))
    monkeypatch.setattr(backups, "put_back", lambda _: "")
    monkeypatch.setattr(pulumi_files, "release_dead", lambda _: "up: 10 %")
    monkeypatch.setattr(deploy, "destroy", destroy)
    try:
        deploy.take_down(deployment)
    except OperationError:
        told.append("failed")
    return len(attempts), [line.split()[0] for line in told]


def test_down_frees_a_dead_lock_and_tells_what_was_left_over(monkeypatch: pytest.MonkeyPatch) -> None:
    assert take_down(monkeypatch) == (1, ["the", "removed"])


@pytest.mark.parametrize(
    "words",
    [
        "No such container: 1f",
        "timeout while waiting for state to become 'removed' (last state: 'pending')",
    ],
)
def test_down_removes_what_the_state_does_not_know_when_that_is_in_its_way(
    monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    stuck = OperationError("taking t down failed", "look", details=words)
    assert take_down(monkeypatch, stuck) == (2, ["the", *["removed"] * 2])


def test_down_leaves_everything_to_somebody_who_is_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    held = HeldError("another update of t is going on", "wait")
    assert take_down(monkeypatch, held) == (1, ["the", "failed"])


def test_down_names_who_else_is_on_a_network_before_it_removes_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(set())
    host.met = [("friday-t-app", "postgres")]
    deployment = Deployment("t", settings(), lambda *_: pytest.fail("went on"))
    deployment.__dict__["hosts"] = PlayedHosts(host)
    monkeypatch.setattr(stacks, "open_stack", lambda *_, **__: pytest.fail("opened"))
    with pytest.raises(OperationError, match="postgres is on friday-t-app, and is not the stack's") as caught:
        deploy.take_down(deployment)
    assert caught.value.exit_code == EXIT_USAGE
    assert "docker network disconnect friday-t-app postgres" in caught.value.fix
    assert "friday.networks" in caught.value.fix


def replica(name: str, part: str = "friday", *, failed: bool = True, kind: str = stacks.CONTAINER) -> Resource:
    labels = [{"label": "friday-litellm.stack", "value": "t"}, {"label": "friday-litellm.part", "value": part}]
    found = {"urn": f"urn:{name}", "type": kind, "id": name, "inputs": {"labels": labels}}
    return Resource.model_validate({**found, "initErrors": ["not healthy"] if failed else []})


def failed_update(
    monkeypatch: pytest.MonkeyPatch, error: OperationError, *, locked: bool = False, **opened: Any
) -> tuple[Host, list[str], list[list[str]]]:
    """Fail an update; return the host, what was told, and what the state was made to look for."""
    Pulumi(monkeypatch, error)
    refreshed: list[list[str]] = []
    stack = SimpleNamespace(name="t", **{"refresh": lambda target, **_: refreshed.append(target), **opened})
    state = [
        replica("new"),
        replica("late"),
        replica("old", failed=False),
        replica("redis", "redis"),
        replica("service", kind="docker:index/service:Service"),
    ]
    monkeypatch.setattr(stacks, "open_stack", lambda *_, **__: stack)
    monkeypatch.setattr(deploy, "resources", lambda _: state)
    monkeypatch.setattr(deploy, "is_locked", lambda _: locked)
    told: list[str] = []
    host = Host(set())
    deployment = Deployment("t", settings(), lambda _, text: told.append(text))
    deployment.__dict__["hosts"] = PlayedHosts(host)
    with pytest.raises(OperationError, match="failed"):
        deploy.deploy(deployment, "why")
    return host, told, refreshed


FAILED = OperationError("failed", "fix", details="not healthy")


def test_a_failed_update_leaves_no_replica_that_never_got_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    host, told, refreshed = failed_update(monkeypatch, FAILED)
    # Not what serves, not what has come up since, and not a part of which there is one only.
    assert host.cleared == {"new", "late"}
    assert told == ["removed name of new, which never got healthy"]
    assert refreshed == [["urn:new"]]


def test_it_leaves_them_to_an_update_that_is_at_them(monkeypatch: pytest.MonkeyPatch) -> None:
    host, told, refreshed = failed_update(monkeypatch, FAILED, locked=True)
    assert (host.cleared, told, refreshed) == (set(), [], [])


def test_an_update_that_has_changed_nothing_removes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    host, told, refreshed = failed_update(monkeypatch, HeldError("failed: another update", "wait"))
    assert (host.cleared, told, refreshed) == (set(), [], [])


def test_what_cannot_be_cleared_away_does_not_hide_why_the_update_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise OperationError("the state is away", "look")

    _, told, _ = failed_update(monkeypatch, FAILED, refresh=refuse)
    assert told[-1] == "what never got healthy could not be cleared away: the state is away"
