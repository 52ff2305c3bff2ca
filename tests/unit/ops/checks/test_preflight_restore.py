"""Whether a rollback could go anywhere, as preflight tells it."""

import pytest

from ops.checks.preflight.facts import Facts, RestoreFacts
from ops.checks.preflight.judge import BEFORE_UPDATE, judge, restore
from ops.checks.report import State
from ops.errors import EXIT_USAGE, OperationError
from tests.unit.given import settings
from tests.unit.ops.evidence import entry

GONE = OperationError("image x is gone", "push it again", EXIT_USAGE, "  registry | no")
NOW, BEFORE = entry(1, 50), entry(2, 10)


@pytest.mark.parametrize(
    ("found", "state", "words"),
    [
        (None, State.SKIPPED, "was not asked for"),
        (GONE, State.FAILED, "image x is gone"),
        (RestoreFacts(), State.SKIPPED, "not deployed yet"),
        (RestoreFacts(NOW), State.OK, "the update that runs (2026-11-24T11:00:00Z, 50 %), once there is another"),
        (RestoreFacts(NOW, None, BEFORE), State.OK, "the update of 2026-11-24T10:00:00Z, 10 %"),
        (
            RestoreFacts(NOW, None, BEFORE, GONE),
            State.WARNING,
            "the last good update (2026-11-24T10:00:00Z, 10 %) could",
        ),
        (
            RestoreFacts(NOW, GONE, BEFORE),
            State.FAILED,
            "the update that runs (2026-11-24T11:00:00Z, 50 %) could not be",
        ),
    ],
)
def test_what_can_be_restored(found: RestoreFacts | OperationError | None, state: State, words: str) -> None:
    (check,) = restore(Facts("t", settings(), [], {}, restore=found))
    assert check.state is state
    assert words in check.found
    gone = state in (State.FAILED, State.WARNING)
    assert (check.fix, check.details) == (("push it again", "  registry | no") if gone else ("", ""))


def test_an_update_that_makes_a_rollback_possible_again_is_not_refused_for_it() -> None:
    given = Facts("t", settings(), [], {}, restore=GONE)
    assert "rollback target" not in {check.name for check in judge(given, BEFORE_UPDATE)}
