"""What a run of a proof found: nothing stands here that this run has not measured."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, NonNegativeFloat

from proof.selection import GROUPS
from testing.record import Group, Record


class State(StrEnum):
    """What has become of a test."""

    CHOSEN = "not run"
    RUNNING = "not finished"
    PASSED = "passed"
    FAILED = "failed"
    LEFT_OUT = "left out"


class Level(StrEnum):
    """What the whole run says."""

    PASSED = "passed"
    FAILED = "failed"
    INCOMPLETE = "incomplete"
    INTERRUPTED = "interrupted"


class Check(BaseModel):
    """One test: pytest's name of it, what became of it after how many seconds, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    test: str
    state: State
    seconds: NonNegativeFloat = 0
    reason: str = ""
    """The first line of what failed, or why it was left out."""
    details: str = ""

    @property
    def title(self) -> str:
        """Return the test's name as a sentence, with its case."""
        name, _, case = self.test.rpartition("::")[2].partition("[")
        said = name.removeprefix("test_").replace("_", " ")
        return f"{said} ({case.removesuffix(']')})" if case else said

    @property
    def command(self) -> str:
        """Return what runs this test alone."""
        return f"./fridayctl test '{self.test}'"


class Fact(BaseModel):
    """A name and a value of the place where it ran: a version, the memory."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    value: str


def checks_in_words(number: int) -> str:
    """Return a number of checks as a sentence has it."""
    return f"{number:,} check{'' if number == 1 else 's'}"


class Chapter(BaseModel):
    """One group of a run: its tests and what they wrote down."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: Group
    checks: tuple[Check, ...]
    records: tuple[Record, ...]

    def count(self, state: State) -> int:
        """Return how many of its tests have come to that."""
        return sum(check.state is state for check in self.checks)

    @property
    def unfinished(self) -> int:
        """Return how many of its tests have not ended."""
        return self.count(State.CHOSEN) + self.count(State.RUNNING)

    @property
    def left_out(self) -> dict[str, int]:
        """Return how many tests were left out, by the reason."""
        return dict(Counter(check.reason for check in self.checks if check.state is State.LEFT_OUT))

    @property
    def tried(self) -> int:
        """Return how many calls and inputs there were."""
        return sum(record.tried for record in self.records)

    @property
    def failed(self) -> int:
        """Return how many of them did not come to what was promised."""
        return sum(record.failed for record in self.records)

    @property
    def refused(self) -> int:
        """Return how many of them were answered with a clear error, where that is promised."""
        return sum(record.refused for record in self.records)

    @property
    def seconds(self) -> float:
        """Return what its tests took."""
        return sum(check.seconds for check in self.checks)

    @property
    def summary(self) -> str:
        """Return the group in a line."""
        checks = f"{checks_in_words(self.count(State.PASSED))} passed, {self.count(State.FAILED)} failed"
        unfinished = f", {self.unfinished} not run to their end" if self.unfinished else ""
        out = f", {self.count(State.LEFT_OUT)} left out" if self.count(State.LEFT_OUT) else ""
        refused = f", {self.refused:,} refused as they should be" if self.refused else ""
        tried = f"{self.tried:,} calls and inputs, {self.failed:,} failed{refused}"
        return f"{checks}{unfinished}{out}; {tried}; {self.seconds:.0f} s"

    @property
    def level(self) -> Level:
        """Return what this group says."""
        if self.failed or self.count(State.FAILED):
            return Level.FAILED
        if self.unfinished:
            return Level.INTERRUPTED
        return Level.PASSED if self.count(State.PASSED) else Level.INCOMPLETE


class Proof(BaseModel):
    """A whole run. `problem` says why pytest itself ended before its tests had, "" where it did not."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    commit: str
    began: datetime
    seconds: NonNegativeFloat
    command: str
    interrupted: bool
    problem: str
    chapters: tuple[Chapter, ...]
    facts: tuple[Fact, ...]

    @property
    def level(self) -> Level:
        """Return the verdict: the worst of all groups."""
        found = {chapter.level for chapter in self.chapters}
        if Level.FAILED in found:
            return Level.FAILED
        if self.interrupted:
            return Level.INTERRUPTED
        if self.problem or Level.INTERRUPTED in found:
            return Level.FAILED
        return Level.INCOMPLETE if Level.INCOMPLETE in found else Level.PASSED

    @property
    def headline(self) -> str:
        """Return the verdict in a sentence."""
        failed, passed = self.count(State.FAILED), self.count(State.PASSED)
        run = f"{failed + passed} of {sum(len(chapter.checks) for chapter in self.chapters)} checks were run"
        if failed:
            return f"{failed} of the {failed + passed} checks that were run failed"
        if lost := sum(chapter.failed for chapter in self.chapters):
            return f"{lost:,} of {self.tried:,} calls and inputs did not come to what is promised"
        if self.interrupted:
            return f"{run} before somebody interrupted it; none of them failed"
        if self.problem:
            return f"the tests themselves could not be run to their end; {run}"
        if empty := [chapter.group for chapter in self.chapters if chapter.level is Level.INCOMPLETE]:
            return f"nothing was tried of {', '.join(empty)}; none of the {passed} checks that were run failed"
        return f"{checks_in_words(passed)} with {self.tried:,} calls and inputs, none of which failed"

    @property
    def tried(self) -> int:
        """Return how many calls and inputs there were."""
        return sum(chapter.tried for chapter in self.chapters)

    @property
    def next_command(self) -> str:
        """Return what to run now."""
        failed = next((each for each in self.checks if each.state is State.FAILED), None)
        if failed:
            return failed.command
        return "./fridayctl up" if self.level is Level.PASSED else self.command

    @property
    def summary(self) -> Sequence[tuple[str, str]]:
        """Return the last lines of a run: each group, the verdict, what to do next."""
        return [
            *((chapter.group, chapter.summary) for chapter in self.chapters),
            ("verdict", f"{self.level}: {self.headline}"),
            ("next", self.next_command),
        ]

    @property
    def checks(self) -> Sequence[Check]:
        """Return all tests, group by group."""
        return [check for chapter in self.chapters for check in chapter.checks]

    def count(self, state: State) -> int:
        """Return how many of all tests have come to that."""
        return sum(chapter.count(state) for chapter in self.chapters)


def chapters(groups: Sequence[Group], checks: dict[Group, list[Check]], records: Sequence[Record]) -> list[Chapter]:
    """Sort what a run left behind into the groups that were wanted, in the order of a proof.

    What a test wrote down under the name of a group that was not asked for is shown all the same.
    """
    wanted = [group for group in GROUPS if group in groups or any(record.group == group for record in records)]
    return [
        Chapter(
            group=group,
            checks=tuple(checks.get(group, ())),
            records=tuple(record for record in records if record.group == group),
        )
        for group in wanted
    ]
