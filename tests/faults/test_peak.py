"""Four times the planned peak for five minutes: nobody waits for nothing, and afterwards all is as before."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.load import Plan, errors, run
from testing.meanwhile import until
from testing.project import Project
from testing.record import Record, Recorder
from tests.faults.watched import bill, is_normal, judge, question

pytestmark = [pytest.mark.engine, pytest.mark.proof, pytest.mark.timeout(1800)]

PER_MINUTE, SECONDS = 8000, 300.0
"""The planned peak is 2,000 requests a minute (the user's own plan)."""
DEADLINE_SECONDS = 30.0
"""Friday's own for each call; a request that the machine is too busy for waits a little at the edge before that."""
CLEAR = {"503 overloaded", "503 unavailable", "504 timeout", "429 rate_limited", "429 quota_spent"}
BACK_SECONDS = 60.0


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Project]:
    made = Project.create(tmp_path)
    with made.deployed():
        yield made


def test_what_comes_on_top_of_what_the_machine_can_do_is_refused_and_the_rest_answered(
    stack: Project, record: Recorder
) -> None:
    plan = Plan(stack.url, PER_MINUTE / 60, question, judge=judge, timeout=2 * DEADLINE_SECONDS, seconds=SECONDS)
    records = asyncio.run(run(plan))
    failed = dict(errors(records))
    slowest = max(each.duration for each in records)
    answered = len(records) - sum(failed.values())
    print(f"{len(records)} asked, {answered} answered, {failed}, slowest {slowest:.1f} s")
    record(
        Record(
            group="faults",
            name=f"{PER_MINUTE:,} requests a minute, four times the planned peak",
            tried=len(records),
            refused=sum(failed.values()),
            seconds=SECONDS,
            figures={"answered": float(answered), "slowest, seconds": round(slowest, 1)},
        )
    )
    assert set(failed) <= CLEAR, failed
    assert slowest <= DEADLINE_SECONDS + 5
    until(lambda: is_normal(stack), "each user on his own path", BACK_SECONDS)
    assert bill(stack) == 0
