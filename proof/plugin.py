"""What pytest is told for a proof (`-p proof.plugin`): which tests to leave out, and where to say what became of each.

It writes one line of JSON for each step of a test, as the step is made: who is interrupted has what came before.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from proof.model import Check, State
from proof.selection import takes_long

FILE: Final = "FRIDAY_CHECKS"
"""Names the file that the lines are added to."""
QUICK: Final = "FRIDAY_PROVE_QUICK"
"""Set where tests that take long are left out."""

_RECORDS = "record"
_LINES = 40


def _say(check: Check) -> None:
    with Path(os.environ[FILE]).open("a", encoding="utf-8") as opened:
        opened.write(check.model_dump_json() + "\n")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests that write down what they tried, without those that take long where it should be quick."""
    recording = [item for item in items if _RECORDS in getattr(item, "fixturenames", ())]
    quick = bool(os.environ.get(QUICK))
    kept = [item for item in recording if not (quick and _takes_long(item))]
    for item in recording:
        chosen = item in kept
        reason = "" if chosen else "takes long: left out by --quick"
        _say(Check(test=item.nodeid, state=State.CHOSEN if chosen else State.LEFT_OUT, reason=reason))
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def _takes_long(item: pytest.Item) -> bool:
    return takes_long(item.nodeid, {marker.name for marker in item.iter_markers()})


def pytest_runtest_logstart(nodeid: str) -> None:
    """Say that a test begins."""
    _say(Check(test=nodeid, state=State.RUNNING))


class _Ended:
    """Adds up the three steps of each test: what it needs is made, it runs, that is removed."""

    def __init__(self) -> None:
        self._so_far: dict[str, list[pytest.TestReport]] = {}

    def add(self, report: pytest.TestReport) -> None:
        steps = self._so_far.setdefault(report.nodeid, [])
        steps.append(report)
        if report.when == "teardown":
            _say(_judged(self._so_far.pop(report.nodeid)))


_ended = _Ended()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Say what became of a test once all that it used is removed."""
    _ended.add(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Say that a file of tests cannot be read."""
    if report.failed:
        _say(_failed(report.nodeid, report.longreprtext))


def _judged(steps: Sequence[pytest.TestReport]) -> Check:
    test, seconds = steps[0].nodeid, sum(step.duration for step in steps)
    if failed := next((step for step in steps if step.failed), None):
        return _failed(test, failed.longreprtext, seconds)
    if skipped := next((step for step in steps if step.skipped), None):
        # Pytest's form of a skip: the file, the line, and "Skipped: " with the reason.
        reason = str(skipped.longrepr[2]) if isinstance(skipped.longrepr, tuple) else skipped.longreprtext
        return Check(test=test, state=State.LEFT_OUT, seconds=seconds, reason=reason.removeprefix("Skipped: "))
    return Check(test=test, state=State.PASSED, seconds=seconds)


def _failed(test: str, text: str, seconds: float = 0) -> Check:
    """Return a failure with the first line that pytest marks as the error, and the last lines of all that it says."""
    lines = text.splitlines()
    errors = [line.removeprefix("E").strip() for line in lines if line.startswith("E ")]
    reason = next(iter(errors), lines[-1] if lines else "")
    details = "\n".join(lines[-_LINES:])
    return Check(test=test, state=State.FAILED, seconds=seconds, reason=reason, details=details)
