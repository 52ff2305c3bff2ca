"""A promotion from request to exit code, with Pulumi, the hosts and the metrics played."""

import json

import pytest

from ops.checks import answers
from ops.errors import EXIT_USAGE, CheckError, OperationError
from ops.rollout.gates.evidence import Calls, Evidence
from ops.rollout.gates.registry import judge
from ops.rollout.history import ENABLED, PERCENTAGE, Verb
from tests.unit.given import settings
from tests.unit.ops.evidence import gate_input, sound
from tests.unit.ops.promotion import BROKEN, LOCKED, World, document, run


def test_a_step_whose_gates_pass_is_made_and_watched(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json", "--reason", "all  is\nwell") == 0
    done = document(capsys)
    assert (done["result"], done["from"], done["to"], done["outcome"]) == ("promoted", 10, 50, "pass")
    assert done["message"] == "promote: 10 -> 50 %, all gates passed, no complaints (anna): all is well"
    assert done["preview"] == [
        "friday: 1 new replica beside 1 old, which finishes what runs and goes once the new is healthy",
        "expected gap: none for requests that end within 60 s (friday.stopGraceSeconds) once their replica is to go; "
        "longer ones are cut",
    ]
    assert world.entries[0].verb is Verb.PROMOTE
    assert world.file == {PERCENTAGE: "50", ENABLED: "true"}
    assert world.watched == [300]
    assert len(done["watch"]) == 6


def test_with_watch_the_whole_soak_is_watched(world: World) -> None:
    assert run("--watch") == 0
    assert world.watched == [48 * 3600]


def test_without_seconds_nothing_is_watched(world: World) -> None:
    world.settings = settings(rollout={"watchSeconds": 0})
    assert run() == 0
    assert world.watched == []


@pytest.mark.parametrize(
    ("evidence", "code", "outcome"),
    [(sound(gateway_up=0.5), 1, "fail"), (sound(key_usage=None), 3, "inconclusive")],
)
def test_a_gate_that_does_not_pass_changes_nothing(
    world: World, evidence: Evidence, code: int, outcome: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world.evidence = evidence
    assert run("--json") == code
    done = document(capsys)
    assert (done["result"], done["outcome"], done["message"]) == ("refused", outcome, "")
    assert world.file == {PERCENTAGE: "10"}
    assert len(world.entries) == 2


@pytest.mark.parametrize(("evidence", "code"), [(sound(), 0), (sound(gateway_up=0.5), 1), (sound(key_usage=None), 3)])
def test_a_dry_run_says_what_would_be_and_changes_nothing(
    world: World, evidence: Evidence, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    world.evidence = evidence
    assert run("--dry-run", "--json") == code
    done = document(capsys)
    assert (done["result"], len(done["preview"])) == ("dry run", 2)
    assert len(world.entries) == 2


def test_a_refusal_shows_each_gate_with_cause_and_next_command(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.evidence = sound(fallbacks=Calls(total=100, failed=50))
    assert run() == 1
    text = capsys.readouterr().out
    assert "fallbacks: calls that fell back" in text
    assert "likely:" in text
    assert "next:   ./fridayctl logs t litellm" in text


def test_a_failing_watch_goes_back_and_closes_the_gateway_first(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.seen = judge(sound(gateway_up=0.5), gate_input(50, None, watching=True))
    before = world.entries[0]
    assert run("--json") == 1
    done = document(capsys)
    assert done["result"] == "aborted"
    assert done["message"].startswith(
        f"abort: 50 -> 10 % to the update of {before.at:%Y-%m-%dT%H:%M:%SZ}: gate gateway"
    )
    assert world.moves == ["close", "deploy", "open"]
    assert world.file == {PERCENTAGE: "10"}
    assert [each.percentage for each in world.entries[:3]] == [10, 50, 10]


def test_going_back_is_done_also_when_the_step_before_is_not_well_either(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unhealthy(*_: object, **__: object) -> None:
        raise CheckError("user 0 should be answered over litellm (was: fallback)", "look")

    world.seen = judge(sound(gateway_up=0.5), gate_input(50, None, watching=True))
    monkeypatch.setattr(answers, "ask_around", unhealthy)
    assert run("--json") == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out)["unhealthy"] == ["user 0 should be answered over litellm (was: fallback)"]
    assert json.loads(printed.out)["result"] == "aborted"
    assert "fix: look" in printed.err
    assert world.file == {PERCENTAGE: "10"}


def test_going_back_names_what_is_unhealthy_beside_it(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.seen = judge(sound(gateway_up=0.5), gate_input(50, None, watching=True))
    world.unhealthy = ["friday-t-redis-1: exited, exit code 137"]
    assert run("--json") == 1
    assert document(capsys)["unhealthy"] == world.unhealthy


def test_going_back_needs_no_edge_that_closes(world: World) -> None:
    world.seen = judge(sound(gateway_up=0.5), gate_input(50, None, watching=True))
    world.switch_fails = True
    assert run() == 1
    assert world.moves == ["deploy", "open"]


def test_an_inconclusive_watch_keeps_the_step(world: World) -> None:
    world.seen = judge(sound(calls=None), gate_input(50, None, watching=True))
    assert run() == 0
    assert world.entries[0].percentage == 50


def test_a_failed_update_is_taken_back(world: World) -> None:
    world.update_fails = BROKEN
    assert run() == 1
    assert world.entries[0].message.endswith("the update failed")
    assert world.file == {PERCENTAGE: "10"}


@pytest.mark.parametrize(("error", "code"), [(LOCKED, 1), (OperationError("no host", "look", EXIT_USAGE), 2)])
def test_an_update_that_did_not_begin_leaves_the_file_as_it_was(
    world: World, error: OperationError, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    world.update_fails, world.update_begins = error, False
    assert run() == code
    assert error.message in capsys.readouterr().err
    assert world.file == {PERCENTAGE: "10"}
    assert len(world.entries) == 2
    assert world.moves == []


def test_whatever_else_breaks_leaves_the_file_as_it_was(world: World) -> None:
    world.update_fails = RuntimeError("a mistake of ours")
    with pytest.raises(RuntimeError):
        run()
    assert world.file == {PERCENTAGE: "10"}
