"""What a proof says of a run: the worst of its groups, in one sentence, with the command that comes next."""

import pytest

from proof.model import Chapter, Level, State, chapters
from testing.record import Record
from tests.unit.proof.proofs import LOCKS, Ended, check, proof

AGAIN = "./fridayctl prove --quick"


@pytest.mark.parametrize(
    ("ended", "level", "headline", "command"),
    [
        (Ended.PASSED, Level.PASSED, "3 checks with 1,117 calls and inputs, none of which failed", "./fridayctl up"),
        (
            Ended.FAILED,
            Level.FAILED,
            "1 of the 4 checks that were run failed",
            "./fridayctl test 'tests/integration/test_rollback.py::test_level_1'",
        ),
        (Ended.INTERRUPTED, Level.INTERRUPTED, "2 of 4 checks were run before somebody interrupted it", AGAIN),
        (Ended.LEFT_OUT, Level.INCOMPLETE, "nothing was tried of faults", AGAIN),
        (Ended.BROKEN, Level.FAILED, "the tests themselves could not be run to their end", AGAIN),
    ],
)
def test_the_verdict_says_what_happened_and_what_to_do(ended: Ended, level: Level, headline: str, command: str) -> None:
    made = proof(ended)
    assert made.level is level
    assert headline in made.headline
    assert made.next_command == command
    assert made.summary[-2:] == [("verdict", f"{level}: {made.headline}"), ("next", command)]


def test_a_call_that_failed_fails_the_run_though_its_test_passed() -> None:
    lost = Record(group="locks", name="x", tried=1000, failed=2, seconds=1)
    made = proof().model_copy(update={"chapters": (LOCKS.model_copy(update={"records": (lost,)}),)})
    assert made.level is Level.FAILED
    assert made.headline == "2 of 1,000 calls and inputs did not come to what is promised"


def test_a_failure_is_one_though_the_run_was_interrupted() -> None:
    failed = Chapter(group="locks", checks=(check("test_x", State.FAILED),), records=())
    assert proof(Ended.INTERRUPTED).model_copy(update={"chapters": (failed,)}).level is Level.FAILED


def test_tests_that_did_not_end_are_no_success() -> None:
    """Pytest ended as if all were well, and yet one test was never heard of again."""
    lost = Chapter(group="locks", checks=(check("test_x"), check("test_y", State.RUNNING)), records=())
    assert proof().model_copy(update={"chapters": (lost,)}).level is Level.FAILED


def test_a_group_in_a_line() -> None:
    assert proof().summary[:2] == [
        ("locks", "2 checks passed, 0 failed; 1,027 calls and inputs, 0 failed, 1,027 refused as they should be; 3 s"),
        ("faults", "1 check passed, 0 failed, 1 left out; 90 calls and inputs, 0 failed; 3 s"),
    ]
    assert "2 not run to their end" in proof(Ended.INTERRUPTED).summary[1][1]


def test_a_test_is_named_by_its_sentence_and_its_case() -> None:
    titles = [each.title for each in proof().checks]
    assert titles[:3] == ["a paid model is refused (body)", "a route does not exist", "fault (gateway killed)"]


def test_what_was_written_down_for_another_group_is_shown() -> None:
    other = Record(group="rollback", name="x", tried=1, seconds=1)
    found = chapters(["locks"], {"locks": [check("test_x")]}, [other])
    assert [(each.group, each.records) for each in found] == [("locks", ()), ("rollback", (other,))]
