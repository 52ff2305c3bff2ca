"""What takes many minutes: four times the planned peak, and a soak with changes, deploys and faults mixed."""

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from benchmarks.load import errors, milliseconds, percentile
from testing.faults.fault import DEADLINE_SECONDS, REST_SECONDS, Promise
from testing.faults.parts import PARTS
from testing.meanwhile import until
from testing.project import Project
from testing.record import Record, Recorder
from tests.faults.shortened import shorten
from tests.faults.watched import asked_while, bill, is_normal

pytestmark = [pytest.mark.engine, pytest.mark.proof, pytest.mark.timeout(3600)]

PEAK_PER_MINUTE, PEAK_SECONDS = 8_000, 300
"""Four times the plan's peak of 2,000 requests a minute."""
SOAK_MINUTES = float(os.environ.get("FRIDAY_SOAK_MINUTES", "15"))
SOAK_SEED = int(os.environ.get("FRIDAY_SOAK_SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)
SOAK_PER_SECOND = 5.0
PERCENTAGES = (10, 25, 50, 75, 100)
RESTS = {REST_SECONDS, REST_SECONDS + 1}
"""Of `router.cooldownSeconds`, in turn: another form of the gateway, so its replicas are exchanged."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A stack of their own at 50 %, with short times."""
    made = Project.create(Path(tmp_path_factory.mktemp("long")))
    shorten(made)
    try:
        made.fridayctl("up", made.stack)
        yield made
    finally:
        made.remove()


def test_four_times_the_peak_for_five_minutes(stack: Project, record: Recorder) -> None:
    """Who is not answered gets a clear error in time; no part ends, and afterwards all is as before."""
    before = {each.id for each in stack.containers()}
    records, seconds = asked_while(stack, lambda: time.sleep(PEAK_SECONDS), PEAK_PER_MINUTE / 60, PEAK_SECONDS + 60)
    refused = errors(records)
    times = milliseconds(records)
    slowest = max(each.duration for each in records)
    record(
        Record(
            group="faults",
            name="8,000 requests a minute for five minutes",
            tried=len(records),
            refused=refused.total(),
            seconds=round(seconds, 1),
            figures={"p95, seconds": round(percentile(times, 0.95) / 1000, 2), "slowest, seconds": round(slowest, 1)},
        )
    )
    print(len(records), dict(refused), f"p95 {percentile(times, 0.95):.0f} ms, slowest {slowest:.1f} s")
    assert all(error[0].isdigit() and "unclear" not in error for error in refused), refused
    assert slowest <= DEADLINE_SECONDS + 2
    until(lambda: is_normal(stack), "served as before", 60)
    assert {each.id for each in stack.containers()} == before
    assert not any(each.attrs["RestartCount"] for each in stack.containers())
    assert bill(stack) == 0


def test_soak(stack: Project, record: Recorder) -> None:
    """Percentages, deploys and faults as the seed draws them: as long as another path is there, no call fails."""
    print(f"FRIDAY_SOAK_SEED={SOAK_SEED} FRIDAY_SOAK_MINUTES={SOAK_MINUTES:g}")
    done: Counter[str] = Counter()
    records, seconds = asked_while(stack, partial(_soak, stack, done), SOAK_PER_SECOND, SOAK_MINUTES * 60 + 600)
    failed = errors(records)
    print(len(records), dict(failed), dict(done))
    record(
        Record(
            group="faults",
            name=f"a soak of {SOAK_MINUTES:g} minutes",
            tried=len(records),
            failed=failed.total(),
            seconds=round(seconds, 1),
            figures={"seed": SOAK_SEED, **done},
        )
    )
    assert failed == {}
    assert bill(stack) == 0
    assert "nothing to change" in stack.fridayctl("up", stack.stack).out


def _soak(stack: Project, done: Counter[str]) -> None:
    drawn = random.Random(SOAK_SEED)  # noqa: S311 - repeatable on purpose
    faults = [each for each in PARTS if each.promise is Promise.ANSWERED]
    end = time.monotonic() + SOAK_MINUTES * 60
    while time.monotonic() < end:
        what = drawn.choice(("percentage", "deploy", "fault", "fault"))
        if what == "fault":
            fault = drawn.choice(faults)
            with fault.happens(stack):
                time.sleep(fault.lasts)
        else:
            _change(stack, what, drawn)
        done[what] += 1
        time.sleep(drawn.uniform(1, 5))


def _change(stack: Project, what: str, drawn: random.Random) -> None:
    """Bring another percentage, or other replicas of the gateway."""
    if what == "percentage":
        stack.configure({"rolloutPercentage": drawn.choice(PERCENTAGES)})
    else:
        (rest,) = RESTS - {int(stack.settings["router"]["cooldownSeconds"])}
        stack.configure({"router": {"cooldownSeconds": rest}})
    stack.fridayctl("up", stack.stack)
