"""What a stack's history says of a window: the steps of its rollout, and what failed or had to be undone."""

from collections.abc import Sequence
from datetime import datetime

from ops.report.model import Incident, Level, Mark, Window
from ops.rollout.history import UNDOING, Entry, Verb

SOURCE = "history"
_WORDS = {Verb.ABORT: "a step was taken back by itself", Verb.ROLLBACK: "the rollout was rolled back"}
_GOES_ON = "in-progress"


def marks(entries: Sequence[Entry], window: Window) -> tuple[Mark, ...]:
    """Return each change of the percentage within the window, the oldest first; a `down` is one to 0 %."""
    found: list[Mark] = []
    before: int | None = None
    for entry in reversed(entries):
        destroyed = (entry.kind, entry.result) == ("destroy", "succeeded")
        if not entry.succeeded and not destroyed:
            continue
        percentage = 0 if destroyed else entry.percentage
        if percentage != before and window.began <= entry.at <= window.ended and not (destroyed and before is None):
            verb = "down" if destroyed else str(entry.verb or "update")
            found.append(Mark(at=entry.at, before=before, percentage=percentage, verb=verb, message=entry.message))
        before = None if destroyed else percentage
    return tuple(found)


def incidents(stack: str, entries: Sequence[Entry], window: Window) -> list[Incident]:
    """Return aborts, rollbacks and failed updates within the window, the newest first.

    A failed update after which none has succeeded is one to act on: nobody knows what of it runs.
    """
    found = []
    is_past = False
    for entry in entries:
        if window.began <= entry.at <= window.ended and (incident := _incident(stack, entry, is_past)):
            found.append(incident)
        is_past = is_past or (entry.kind in ("update", "destroy") and entry.result == "succeeded")
    return found


def last_failed(entries: Sequence[Entry]) -> Entry | None:
    """Return the newest update when it failed, None when it did not: an update that goes on has not failed."""
    updates = (entry for entry in entries if entry.kind in ("update", "destroy") and entry.result != _GOES_ON)
    newest = next(updates, None)
    return newest if newest and newest.result != "succeeded" else None


def first_deployed(entries: Sequence[Entry]) -> datetime | None:
    """Return since when the history knows of the stack; None without one."""
    return entries[-1].started if entries else None


def _incident(stack: str, entry: Entry, is_past: bool) -> Incident | None:
    verb = entry.verb
    if entry.succeeded and verb in UNDOING:
        return Incident(
            kind=str(verb),
            level=Level.LOOK,
            began=entry.started,
            ended=entry.ended,
            title=_WORDS[verb],
            details=entry.message,
            source=SOURCE,
            command=f"./fridayctl history {stack}",
        )
    if entry.kind not in ("update", "destroy") or entry.result in ("succeeded", _GOES_ON):
        return None
    return Incident(
        kind="failed-update",
        level=Level.LOOK if is_past else Level.ACT,
        began=entry.started,
        ended=entry.ended,
        title=f"an update ended as {entry.result}",
        details=entry.message,
        source=SOURCE,
        command=f"./fridayctl history {stack}" if is_past else f"./fridayctl up {stack}",
    )
