"""Minutes of a stack's life while users ask: percentages, deploys, rollbacks and faults, drawn from a seed."""

import json
import os
import random
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.load import errors
from testing.faults.fault import Promise
from testing.faults.parts import PARTS
from testing.meanwhile import until
from testing.project import Project
from testing.record import Record, Recorder
from tests.faults.shortened import shorten
from tests.faults.watched import PER_SECOND, asked_while, bill, is_normal

MINUTES = float(os.environ.get("FRIDAY_SOAK_MINUTES", "10"))
SEED = int(os.environ.get("FRIDAY_SOAK_SEED") or secrets.randbelow(1_000_000))
"""Another one each time, and said: the same steps come again with the same seed."""
_MARGIN_SECONDS = 900

pytestmark = [pytest.mark.engine, pytest.mark.proof, pytest.mark.timeout(MINUTES * 60 + _MARGIN_SECONDS)]

FAULTS = [fault for fault in PARTS if fault.promise is Promise.ANSWERED]
"""Those with another path: no call may fail."""


class Life:
    """What happens to a stack, drawn one after the other; `steps` says what, with the seconds since the beginning."""

    def __init__(self, stack: Project, drawn: random.Random) -> None:
        self._stack, self._drawn = stack, drawn
        self._began = time.monotonic()
        self.steps = list[str]()
        self._kinds = {"percentage": self._percentage, "deploy": self._deploy, "rollback": self._rollback}

    def live(self, seconds: float) -> None:
        """Let things happen for a while, faults as often as changes."""
        while time.monotonic() - self._began < seconds:
            kind = self._drawn.choice([*self._kinds, *["fault"] * len(self._kinds)])
            self._kinds.get(kind, self._fault)()
            time.sleep(self._drawn.uniform(0, 5))

    @property
    def counts(self) -> Counter[str]:
        """Return how often each kind of step was made."""
        return Counter(step.split()[1] for step in self.steps)

    def _percentage(self) -> None:
        wanted = self._drawn.choice((0, 10, 50, 100))
        self._say(f"percentage {wanted}")
        self._stack.configure({"rolloutPercentage": wanted})
        self._up()

    def _deploy(self) -> None:
        """Change what the gateway's replicas run with, or Friday's: all of them are replaced."""
        if self._drawn.random() < 0.5:
            wanted = self._drawn.randint(3, 9)
            self._say(f"deploy router.cooldownSeconds {wanted}")
            self._stack.configure({"router": {"cooldownSeconds": wanted}})
        else:
            friday = self._stack.settings["friday"]
            wanted = self._drawn.randint(10, 14)
            self._say(f"deploy LLM_DEADLINE_SECONDS {wanted}")
            environment = {**friday["environment"], "LLM_DEADLINE_SECONDS": str(wanted)}
            self._stack.configure({"friday": {**friday, "environment": environment}})
        self._up()

    def _rollback(self) -> None:
        level = self._drawn.choice((1, 2))
        if not json.loads(self._stack.fridayctl("rollback", self._stack.stack, "--list", "--json").out):
            level = 1  # it went back to the oldest good update before
        self._say(f"rollback of level {level}")
        self._stack.fridayctl("rollback", self._stack.stack, "--level", str(level), "--yes", seconds=600)

    def _fault(self) -> None:
        fault = self._drawn.choice(FAULTS)
        self._say(f"fault {fault.name}")
        with fault.happens(self._stack):
            time.sleep(fault.lasts)

    def _up(self) -> None:
        self._stack.fridayctl("up", self._stack.stack, seconds=600)

    def _say(self, what: str) -> None:
        step = f"{time.monotonic() - self._began:.0f} {what}"
        self.steps.append(step)
        print(step, flush=True)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Project]:
    made = Project.create(tmp_path)
    shorten(made)
    with made.deployed():
        made.configure({"rolloutPercentage": 60})  # a second good update: a rollback has where to go
        made.fridayctl("up", made.stack)
        yield made


def test_whatever_happens_to_a_stack_nobodys_call_fails(stack: Project, record: Recorder) -> None:
    print(f"FRIDAY_SOAK_SEED={SEED}", flush=True)
    life = Life(stack, random.Random(SEED))  # noqa: S311 - no secret
    records, seconds = asked_while(stack, lambda: life.live(MINUTES * 60))
    failed = dict(errors(records))
    record(
        Record(
            group="faults",
            name=f"{MINUTES:g} minutes of changes, rollbacks and faults, at {PER_SECOND:g} calls a second",
            tried=len(records),
            failed=sum(failed.values()),
            seconds=round(seconds, 1),
            figures={"seed": str(SEED), **{kind: float(count) for kind, count in life.counts.items()}},
        )
    )
    when = [f"{each.start:.0f} {each.error}" for each in records if each.error]
    assert failed == {}, f"seed {SEED}: {when[:20]} while {life.steps}"
    stack.configure({"rolloutPercentage": 50})
    stack.fridayctl("up", stack.stack)
    until(lambda: is_normal(stack), "each user on his own path")
    checks = json.loads(stack.fridayctl("verify", stack.stack, "--json").out)["checks"]
    assert [check for check in checks if check["ok"] is False] == []
    assert bill(stack) == 0
