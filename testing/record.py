"""What tests tried and what came of it, one line of JSON each: the numbers of `./fridayctl prove`.

A test says it by the fixture `record`; where nobody asked for records it is written nowhere.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, NonNegativeFloat, NonNegativeInt

ENVIRONMENT = "FRIDAY_RECORDS"
"""Names the file that records are added to."""

Group = Literal["locks", "faults", "change", "rollback"]


class Record(BaseModel):
    """One thing that was tried on a stack."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: Group
    name: str
    """What was done, in a few words: `a gateway replica is killed`."""
    tried: NonNegativeInt
    """Calls of users, or inputs."""
    failed: NonNegativeInt = 0
    """Those of them that did not come to what was promised."""
    refused: NonNegativeInt = 0
    """Those answered with a clear error in time, where that is the promise."""
    seconds: NonNegativeFloat
    """How long it took."""
    figures: dict[str, float | str] = {}
    """Further numbers by name with unit: `{"back after, seconds": 2.1}`."""


class Recorder:
    """Adds records to a file, or to none."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def __call__(self, record: Record) -> None:
        """Add one; OSError where the file cannot be written."""
        if self._file is None:
            return
        with self._file.open("a", encoding="utf-8") as opened:
            opened.write(record.model_dump_json() + "\n")


class Tally:
    """Adds up inputs of one kind that are tried one by one, by many tests; `say` records each kind once."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self._kinds: dict[str, Record] = {}

    @contextmanager
    def trying(self, kind: str, *, refused: bool = False) -> Iterator[None]:
        """Count one input, as failed when the block raises, else as `refused` where that is the promise."""
        failed, began = True, time.monotonic()
        try:
            yield
            failed = False
        finally:
            before = self._kinds.get(kind) or Record(group=self._group, name=kind, tried=0, seconds=0)
            self._kinds[kind] = before.model_copy(
                update={
                    "tried": before.tried + 1,
                    "failed": before.failed + failed,
                    "refused": before.refused + (refused and not failed),
                    "seconds": before.seconds + time.monotonic() - began,
                }
            )

    def say(self, record: Recorder) -> None:
        """Record what was tried."""
        for kind in self._kinds.values():
            record(kind)


def read(file: Path) -> Iterator[Record]:
    """Yield the records of a file in their order; ValidationError names a line that is none."""
    for line in file.read_text(encoding="utf-8").splitlines():
        yield Record.model_validate_json(line)
