"""Updates that meet a host which is not as the state says, and failures that bring the containers' own words."""

import pytest

from ops.checks import answers
from ops.commands import deploy
from ops.errors import EXIT_FAILED, EXIT_USAGE, OperationError
from ops.stacks import pulumi_files
from ops.stacks.pulumi_files import HeldError
from ops.stacks.stacks import Update
from tests.unit.given import settings
from tests.unit.ops.deployed import Played
from tests.unit.ops.played_update import Host, Pulumi, run

TAKEN = OperationError("failed", "fix", details="the name x is already in use by container y")
NO_EDGE = "no edge runs: no user is served"
OUTPUTS: dict[str, object] = {"fridayUrl": "http://127.0.0.1:1", "instances": {"friday": ["friday-t-1"]}}


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


LEADERLESS = OperationError(
    "failed", "fix", details="rpc error: code = DeadlineExceeded desc = context deadline exceeded"
)


class Swarm(Host):
    """A Swarm's manager, whose Swarm is led again after so many looks."""

    looks = 2

    def names(self, stack: str) -> set[str]:
        if self.looks:
            self.looks -= 1
            raise OperationError("ssh://h: the Swarm has no leader", "start its managers")
        return super().names(stack)


@pytest.fixture
def election(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploy, "SwarmManager", Swarm)
    monkeypatch.setattr("time.sleep", lambda _: None)


@pytest.mark.usefixtures("election")
def test_an_update_whose_leader_went_is_made_once_more_when_another_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi = Pulumi(monkeypatch, LEADERLESS, Update(1, OUTPUTS))
    done, told = run(Swarm({"friday-t-1"}))
    assert (done.changed, pulumi.refreshed) == (1, [False, True])
    assert "chose another leader meanwhile" in told[0]


@pytest.mark.usefixtures("election")
def test_an_update_whose_swarm_nobody_leads_any_more_ends_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploy, "_ELECTION_SECONDS", 0.0)
    pulumi = Pulumi(monkeypatch, LEADERLESS)
    with pytest.raises(OperationError, match="failed"):
        run(Swarm({"friday-t-1"}))
    assert pulumi.refreshed == [False]


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
