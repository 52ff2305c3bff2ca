"""Proofs as runs leave them behind, in each state that a page can have."""

import datetime as dt
from enum import StrEnum

from proof.model import Chapter, Check, Fact, Proof, State
from testing.record import Record

MARKUP = "<b onclick=x()>&amp; is text</b>"
FILES = {
    "locks": "tests/integration/test_gateway_locks.py",
    "faults": "tests/faults/test_parts.py",
    "change": "tests/integration/test_local_stack.py",
    "rollback": "tests/integration/test_rollback.py",
}


class Ended(StrEnum):
    """How a run has ended."""

    PASSED = "passed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    LEFT_OUT = "left out"
    BROKEN = "broken"


def check(name: str, state: State = State.PASSED, file: str = FILES["locks"], **more: object) -> Check:
    return Check.model_validate({"test": f"{file}::{name}", "state": state, "seconds": 1.5, **more})


LOCKS = Chapter(
    group="locks",
    checks=(check("test_a_paid_model_is_refused[body]"), check("test_a_route_does_not_exist")),
    records=(Record(group="locks", name="a paid model is asked for", tried=1027, refused=1027, seconds=3.2),),
)
FAULTS = Chapter(
    group="faults",
    checks=(
        check("test_fault[gateway killed]", file=FILES["faults"]),
        check("test_a_soak", State.LEFT_OUT, FILES["faults"], reason="takes long: left out by --quick"),
    ),
    records=(
        Record(group="faults", name="killed", tried=90, seconds=9.04, figures={"back, seconds": 2.1, "seed": "7"}),
    ),
)
_BAD = check("test_level_1", State.FAILED, FILES["rollback"], reason=MARKUP, details=f"E   {MARKUP}\nassert 1 == 2")
_CHAPTERS: dict[Ended, tuple[Chapter, ...]] = {
    Ended.PASSED: (LOCKS, FAULTS),
    Ended.FAILED: (
        LOCKS,
        FAULTS,
        Chapter(
            group="rollback",
            checks=(_BAD,),
            records=(Record(group="rollback", name=MARKUP, tried=200, failed=3, seconds=11),),
        ),
    ),
    Ended.INTERRUPTED: (
        LOCKS,
        Chapter(
            group="faults",
            checks=(check("test_x", State.RUNNING, FILES["faults"]), check("test_y", State.CHOSEN, FILES["faults"])),
            records=(),
        ),
    ),
    Ended.LEFT_OUT: (LOCKS, Chapter(group="faults", checks=FAULTS.checks[1:], records=())),
    Ended.BROKEN: (Chapter(group="locks", checks=(), records=()),),
}


def proof(ended: Ended = Ended.PASSED) -> Proof:
    return Proof(
        commit="0123456789ab",
        began=dt.datetime(2026, 11, 30, 23, 5, tzinfo=dt.UTC),
        seconds=372,
        command="./fridayctl prove --quick",
        interrupted=ended is Ended.INTERRUPTED,
        problem=f"pytest ended with 4\n{MARKUP}" if ended is Ended.BROKEN else "",
        chapters=_CHAPTERS[ended],
        facts=(Fact(name="LiteLLM", value="1.108.14"), Fact(name="Memory", value=MARKUP)),
    )
