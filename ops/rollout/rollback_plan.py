"""What a rollback of each level changes in the settings: pure, computed from today's settings and the history."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ops.errors import EXIT_USAGE, OperationError
from ops.rollout.history import (
    ENABLED,
    NAMESPACE,
    PERCENTAGE,
    Entry,
    Verb,
    deployed,
    going_back,
    good_targets,
    percentage_of,
)

LEVELS = {
    1: "percentage 0: every user takes the direct path, everything else stays",
    2: "the settings of the last good update: flag, percentage, models, images together",
    3: "Friday off LiteLLM, then no gateway replica at all",
    4: "the last good update's settings, deployed by the code of the commit that it was made from",
}
_LITELLM = f"{NAMESPACE}:litellm"


@dataclass(frozen=True)
class RollbackRequest:
    """What the operator asks for; see `plan`."""

    level: int = 2
    to: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Step:
    """One stack update: the settings it wants (all of them, secrets apart) and the message for the history.

    `today` are those that it comes from, where nothing can have changed them since they were read.
    """

    config: Mapping[str, str]
    message: str
    today: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Restore:
    """A rollback worked out: the updates to make in their order, and the entry that is gone back to, if any."""

    level: int
    steps: tuple[Step, ...]
    target: Entry | None = None

    @property
    def percentage(self) -> int:
        """Return the share of users (percent, 0 to 100) on LiteLLM when all is done."""
        return percentage_of(self.steps[-1].config)


def plan(entries: Sequence[Entry], today: Mapping[str, str], level: int, *, to: str = "", reason: str = "") -> Restore:
    """Work a rollback out. `today` are the settings of the stack file, `to` names an entry (`find`).

    Raises OperationError (exit code 2) when there is nothing to go back to.
    """
    current = deployed(entries)
    if current is None:
        raise OperationError("nothing is deployed, so there is nothing to roll back", "./fridayctl up", EXIT_USAGE)
    why = f": {reason}" if reason else ""
    if level == 1:
        return Restore(1, (Step({**today, PERCENTAGE: "0"}, _message(1, current, 0, why), today),))
    if level == 3:
        off = {**today, ENABLED: "false"}
        litellm = {**json.loads(off.get(_LITELLM, "{}")), "replicas": 0}
        gone = Step({**off, _LITELLM: json.dumps(litellm)}, f"{Verb.ROLLBACK}: level 3, no gateway{why}")
        # In this order: no Friday may still ask a gateway that is going.
        return Restore(3, (Step(off, _message(3, current, 0, why), today), gone))
    target = find(entries, to) if to else _last_good(entries)
    words = f", {going_back(target)}{why}"
    return Restore(level, (Step(dict(target.config), _message(level, current, target.percentage, words)),), target)


def find(entries: Sequence[Entry], to: str) -> Entry:
    """Return the target that `to` names: its number in the list of targets (1 is the newest) or the start of its time.

    Raises OperationError (exit code 2) when it names none or several.
    """
    targets = good_targets(entries)
    if to.isdecimal() and 1 <= int(to) <= len(targets):
        return targets[int(to) - 1]
    found = [entry for entry in targets if len(to) >= len("2026-11-24") and shown(entry.at).startswith(to)]
    if len(found) != 1:
        problem = f"{len(found)} updates match {to!r}" if found else f"no update that can be gone back to is {to!r}"
        raise OperationError(problem, "./fridayctl rollback --list shows them, with their numbers", EXIT_USAGE)
    return found[0]


def shown(moment: datetime) -> str:
    """Return a moment as lists and messages have it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _last_good(entries: Sequence[Entry]) -> Entry:
    targets = good_targets(entries)
    if not targets:
        mend = "./fridayctl rollback --level 1 takes every user off LiteLLM"
        raise OperationError("the history holds no other good update to go back to", mend, EXIT_USAGE)
    return targets[0]


def _message(level: int, current: Entry, percentage: int, words: str) -> str:
    return f"{Verb.ROLLBACK}: level {level}, {current.percentage} -> {percentage} %{words}"
