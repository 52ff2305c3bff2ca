"""What a rollback of each level changes in the settings: pure, computed from today's settings and the history."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ops.errors import EXIT_USAGE, OperationError
from ops.rollout import history
from ops.rollout.history import ENABLED, NAMESPACE, OPERATORS, PERCENTAGE, TESTERS, Entry, Verb, good_targets, shown

_LITELLM = f"{NAMESPACE}:litellm"


@dataclass(frozen=True)
class Step:
    """One stack update: the settings it wants (all of them, secrets apart) and the message for the history.

    `today` are those that it comes from, where nothing can have changed them since they were read.
    """

    config: Mapping[str, str]
    message: str
    today: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Situation:
    """What a level plans from. `today` are the settings of the stack file; `why` ends the message of the history."""

    level: int
    current: Entry
    today: Mapping[str, str]
    target: Entry | None
    why: str

    def message(self, percentage: int) -> str:
        """Return the message of the update that brings users to `percentage`."""
        back = f", {history.going_back(self.target)}" if self.target else ""
        return f"{Verb.ROLLBACK}: level {self.level}, {self.current.percentage} -> {percentage} %{back}{self.why}"


@dataclass(frozen=True)
class Level:
    """How far a rollback goes.

    `seconds` is what the whole command is promised to take at most. One that `restores` goes back to an update of the
    history: the last good one, unless `--to` names another. `by_its_code` says that the code of that update's commit
    deploys it, in a checkout beside this one, and fetches and builds the images that it needs.
    """

    number: int
    words: str
    seconds: int
    steps: Callable[[Situation], tuple[Step, ...]]
    restores: bool = False
    by_its_code: bool = False


def _to_nobody(found: Situation) -> tuple[Step, ...]:
    without = {name: value for name, value in found.today.items() if name != TESTERS}
    return (Step({**without, PERCENTAGE: "0"}, found.message(0), found.today),)


def _without_gateway(found: Situation) -> tuple[Step, ...]:
    off = {**found.today, ENABLED: "false"}
    litellm = {**json.loads(off.get(_LITELLM, "{}")), "replicas": 0}
    gone = Step({**off, _LITELLM: json.dumps(litellm)}, f"{Verb.ROLLBACK}: level {found.level}, no gateway{found.why}")
    # In this order: no Friday may still ask a gateway that is going.
    return Step(off, found.message(0), found.today), gone


def _restored(found: Situation) -> tuple[Step, ...]:
    target = found.target or found.current
    rest = {name: value for name, value in target.config.items() if name not in OPERATORS}
    reached = {name: value for name, value in found.today.items() if name in OPERATORS}
    return (Step({**rest, **reached}, found.message(target.percentage)),)


DEFAULT = Level(2, "the settings of the last good update, images included", 300, _restored, restores=True)
_LEVELS = (
    Level(1, "percentage 0, no testers: everybody goes direct, the rest stays", 30, _to_nobody),
    DEFAULT,
    Level(3, "Friday leaves LiteLLM, then every gateway is removed", 600, _without_gateway),
    Level(4, "the same, deployed by the code of that update's commit", 900, _restored, restores=True, by_its_code=True),
)
LEVELS = {level.number: level for level in _LEVELS}


@dataclass(frozen=True)
class RollbackRequest:
    """What the operator asks for: how far, to which update (`find`; "" for the last good one), and why."""

    level: Level = DEFAULT
    to: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Restore:
    """A rollback worked out: the updates to make in their order, and the entry that is gone back to, if any.

    `before` is the share of users (percent) on LiteLLM until then, None where nobody has looked.
    """

    level: Level
    steps: tuple[Step, ...]
    target: Entry | None = None
    before: int | None = None

    @property
    def percentage(self) -> int:
        """Return the share of users (percent, 0 to 100) on LiteLLM when all is done."""
        return history.percentage_of(self.steps[-1].config)


def plan(entries: Sequence[Entry], today: Mapping[str, str], request: RollbackRequest) -> Restore:
    """Work a rollback out from `today`'s settings. Raises OperationError (exit code 2) with nothing to go back to."""
    current, level = history.deployed(entries), request.level
    if current is None:
        raise OperationError("nothing is deployed, so there is nothing to roll back", "./fridayctl up", EXIT_USAGE)
    target = find(entries, request.to) if level.restores else None
    found = Situation(level.number, current, today, target, f": {request.reason}" if request.reason else "")
    return Restore(level, level.steps(found), target, current.percentage)


def find(entries: Sequence[Entry], to: str) -> Entry:
    """Return the target that `to` names: its number in the list of targets (1 is the newest) or the start of its time.

    "" is the newest. Raises OperationError (exit code 2) when there is none, or several.
    """
    targets = good_targets(entries)
    if not to and not targets:
        fix = "./fridayctl rollback --level 1 takes every user off LiteLLM"
        raise OperationError("the history holds no other good update to go back to", fix, EXIT_USAGE)
    number = to or "1"
    if number.isdecimal() and 1 <= int(number) <= len(targets):
        return targets[int(number) - 1]
    found = [entry for entry in targets if len(to) >= len("2026-11-24") and shown(entry.at).startswith(to)]
    if len(found) != 1:
        problem = f"{len(found)} updates match {to!r}" if found else f"no update that can be gone back to is {to!r}"
        raise OperationError(problem, "./fridayctl rollback --list shows them, with their numbers", EXIT_USAGE)
    return found[0]
