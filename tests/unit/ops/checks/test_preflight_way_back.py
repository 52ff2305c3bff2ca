"""Whether a rollback could go anywhere, as preflight tells it."""

import pytest

from ops.checks.preflight.facts import Facts, WayBack
from ops.checks.preflight.judge import BEFORE_UPDATE
from ops.checks.preflight.judge_way_back import way_back
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
        (WayBack(), State.SKIPPED, "not deployed yet"),
        (WayBack(NOW), State.OK, "the update that runs (2026-11-24T11:00:00Z, 50 %), once there is another"),
        (WayBack(NOW, None, BEFORE), State.OK, "the update of 2026-11-24T10:00:00Z, 10 %"),
        (WayBack(NOW, None, BEFORE, GONE), State.WARNING, "the last good update (2026-11-24T10:00:00Z, 10 %) could"),
        (WayBack(NOW, GONE, BEFORE), State.FAILED, "the update that runs (2026-11-24T11:00:00Z, 50 %) could not be"),
    ],
)
def test_the_way_back(found: WayBack | OperationError | None, state: State, words: str) -> None:
    (check,) = way_back(Facts("t", settings(), [], {}, way_back=found))
    assert check.state is state
    assert words in check.found
    gone = state in (State.FAILED, State.WARNING)
    assert (check.fix, check.details) == (("push it again", "  registry | no") if gone else ("", ""))


def test_an_update_that_mends_the_way_back_is_not_refused_for_it() -> None:
    assert "rollback target" not in {group.name for group in BEFORE_UPDATE}
