"""A stack's history, the only record of its rollout: what was deployed when, why, and what may be gone back to.

Everything here is computed from entries, newest first; reading them is `ops.stacks`' part.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import takewhile

from pydantic import BaseModel, ConfigDict

from components.parts import PARTS
from ops.rollout import feedback
from ops.rollout.feedback import Reported

NAMESPACE = "friday-litellm"
PERCENTAGE, ENABLED = f"{NAMESPACE}:rolloutPercentage", f"{NAMESPACE}:litellmEnabled"
TESTERS = f"{NAMESPACE}:testers"
"""The two settings that a step is made of."""
NOTIFY = f"{NAMESPACE}:notify"
OPERATORS = frozenset({NOTIFY, *(f"{NAMESPACE}:{name}" for name in ("dockerHost", "swarmHosts", "ssh", "tls"))})
"""The operator's own settings: how the hosts are reached, and who is told. Nothing of these is to go back to."""


class Verb(StrEnum):
    """The first word of an update's message: what the operator, or the rollout itself, was doing."""

    UP = "up"
    PROMOTE = "promote"
    ROLLBACK = "rollback"
    ABORT = "abort"
    PAUSE = "pause"
    RESUME = "resume"
    FIX = "fix"
    FEEDBACK = feedback.WORD


_GOES_BACK = re.compile(r"\bto the update of (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")
UNDOING = frozenset({Verb.ROLLBACK, Verb.ABORT})
RESTORING = UNDOING | {Verb.FIX}
"""What brings back something that was deployed before: a rollback, an abort, a drift that is fixed."""


class Entry(BaseModel):
    """One operation of a stack's history.

    `config` holds every setting as the stack file had it (structured ones as JSON), but no secrets: a rollback keeps
    today's. `secrets` are their names. `commit` is the checkout's, None outside of git; `changes` is how many
    resources were created, changed or deleted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    result: str
    message: str
    started: datetime
    ended: datetime | None
    config: dict[str, str]
    secrets: tuple[str, ...] = ()
    commit: str | None = None
    dirty: bool = False
    changes: int = 0

    @property
    def succeeded(self) -> bool:
        """Return whether it is an update that was finished."""
        return self.kind == "update" and self.result == "succeeded"

    @property
    def verb(self) -> Verb | None:
        """Return what the message says was being done; None for a message in somebody's own words."""
        return verb_of(self.message)

    @property
    def percentage(self) -> int:
        """Return the share of users (percent, 0 to 100) that went through LiteLLM: 0 while the flag was off."""
        return percentage_of(self.config)

    @property
    def images(self) -> dict[str, str]:
        """Return the image of each part whose image the settings named."""
        return {part.name: image for part in PARTS if (image := _image(self.config, part.setting))}

    @property
    def goes_back_to(self) -> datetime | None:
        """Return when the update ended that a rollback's or an abort's message names, None when it names none."""
        found = _GOES_BACK.search(self.message)
        try:
            return datetime.fromisoformat(found[1]) if found else None
        except ValueError:
            return None  # somebody's own words, with a date that does not exist

    @property
    def at(self) -> datetime:
        """Return when its settings began to hold."""
        return self.ended or self.started


def _image(config: Mapping[str, str], setting: str) -> str | None:
    """Return the image that settings name at a place such as `monitoring.redisExporter`; None when they name none."""
    top, *inner = setting.split(".")
    try:
        found = json.loads(config.get(f"{NAMESPACE}:{top}", "{}"))
    except (ValueError, RecursionError):
        return None
    for key in (*inner, "image"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else None


def replicas_of(config: Mapping[str, str], part: str, default: int) -> int:
    """Return how many replicas settings declare of a part such as `litellm`; `default` where they name no number."""
    try:
        found = json.loads(config.get(f"{NAMESPACE}:{part}", "{}"))
        return int(found["replicas"]) if isinstance(found, dict) and "replicas" in found else default
    except (ValueError, TypeError, OverflowError, RecursionError):
        return default  # a failed update may have said anything


def verb_of(message: str) -> Verb | None:
    """Return what a message says is being done; None for one in somebody's own words."""
    word = message.partition(":")[0].split()
    return Verb(word[0]) if word and word[0] in set(Verb) else None


def percentage_of(config: Mapping[str, str]) -> int:
    """Return the share of users (percent, 0 to 100) that settings send through LiteLLM: 0 while the flag is off."""
    try:
        return int(float(config.get(PERCENTAGE, "0"))) if config.get(ENABLED, "true") == "true" else 0
    except (ValueError, OverflowError):
        return 0  # a failed update may have said anything; what is no number sends nobody there


def shown(moment: datetime) -> str:
    """Return a moment as lists and messages have it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def going_back(entry: Entry) -> str:
    """Return the words of a message that name the update which is gone back to; `Entry.goes_back_to` reads them."""
    return f"to the update of {shown(entry.at)}"


def deployed(entries: Iterable[Entry]) -> Entry | None:
    """Return the update whose settings hold now: the newest that succeeded, None after a `down` or before the first."""
    return next(iter(_life(entries)), None)


def since(entries: Iterable[Entry]) -> datetime | None:
    """Return since when the present percentage holds, None when nothing is deployed. A failed update breaks nothing."""
    holding = _holding(_life(entries))
    return holding[-1].at if holding else None


def step_before(entries: Iterable[Entry]) -> tuple[datetime, datetime] | None:
    """Return from when to when the percentage before the present one held, None when there was none."""
    life = _life(entries)
    holding = _holding(life)
    began = since(life[len(holding) :])
    return (began, holding[-1].at) if began else None


def exchanges(entries: Iterable[Entry], now: datetime) -> list[tuple[datetime, datetime]]:
    """Return from when to when each update ran that may have replaced containers; one that goes on ends `now`."""
    return [
        (each.started, each.ended or now)
        for each in entries
        if each.kind == "update" and (each.changes or not each.succeeded)
    ]


def pause(entries: Sequence[Entry]) -> Entry | None:
    """Return the pause in force, None when there is none: only `resume` ends one."""
    last = next((entry for entry in _life(entries) if entry.verb in (Verb.PAUSE, Verb.RESUME)), None)
    return last if last and last.verb is Verb.PAUSE else None


def reported_between(entries: Iterable[Entry], began: datetime, ended: datetime) -> list[Reported]:
    """Return what users said by other ways than Friday's own, entered after `began`, up to `ended`; newest first."""
    found = (feedback.of(entry.message, entry.started) for entry in entries if entry.succeeded)
    return [each for each in found if each and began < each.at <= ended]


def ratings_between(entries: Iterable[Entry], began: datetime, ended: datetime) -> dict[str, dict[str, int]]:
    """Return how many ratings were entered after `began`, up to `ended`, by path and rating."""
    return feedback.totals(reported_between(entries, began, ended))


def condemned(entries: Sequence[Entry]) -> list[Entry]:
    """Return the updates that were undone: those between a rollback or an abort and the update that it names.

    One that names none undid just the update before it; pauses in between changed nothing.
    """
    life = _life(entries)
    undone: list[Entry] = []
    for place, entry in enumerate(life):
        if entry.verb in UNDOING:
            named = entry.goes_back_to
            older = life[place + 1 :]
            last = next((n for n, each in enumerate(older) if each.verb not in (Verb.PAUSE, Verb.RESUME)), 0)
            undone += [each for each in older if each.at > named] if named else older[: last + 1]
    return undone


def good_targets(entries: Sequence[Entry]) -> list[Entry]:
    """Return the updates to go back to, newest first: succeeded, not undone since, with other settings than today's."""
    life, bad = _life(entries), condemned(entries)
    return [each for each in life[1:] if each not in bad and _deployed_by(each) != _deployed_by(life[0])]


def _deployed_by(entry: Entry) -> dict[str, str]:
    return {name: value for name, value in entry.config.items() if name not in OPERATORS}


def _life(entries: Iterable[Entry]) -> list[Entry]:
    """Return the updates that succeeded since the stack was last brought up from nothing, newest first.

    Without feedback, which deploys nothing.
    """
    since_down = takewhile(lambda entry: (entry.kind, entry.result) != ("destroy", "succeeded"), entries)
    return [entry for entry in since_down if entry.succeeded and not _is_feedback(entry)]


def _is_feedback(entry: Entry) -> bool:
    return not entry.changes and feedback.of(entry.message, entry.started) is not None


def _holding(life: Sequence[Entry]) -> list[Entry]:
    """Return the newest updates that have the percentage of the very newest."""
    return list(takewhile(lambda entry: entry.percentage == life[0].percentage, life))
