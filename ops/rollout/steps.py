"""Where a stack's rollout stands by its history, which step comes next, and whether it may come now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from components.settings.rollout import RolloutSettings
from ops.rollout.history import Entry, deployed, pause, since


@dataclass(frozen=True)
class RolloutPosition:
    """The present step: what runs `since` when, what is left of its soak, the next (percent), and a pause in force."""

    current: Entry
    since: datetime
    soak_left: timedelta
    next_step: int | None
    paused: Entry | None = None

    @property
    def percentage(self) -> int:
        """Return the share of users on the gateway, in percent."""
        return self.current.percentage

    def document(self) -> dict[str, object]:
        """Return it for --json."""
        return {
            "percentage": self.percentage,
            "since": self.since,
            "soak_left_seconds": self.soak_left.total_seconds(),
            "next_step": self.next_step,
            "paused": self.paused.message if self.paused else None,
        }


@dataclass(frozen=True)
class StepRequest:
    """A wish to go to `to` percent (None: the next step), with the reason for departing from the plan, if any."""

    to: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Objection:
    """Why a step is refused."""

    what: str
    fix: str


def position_of(entries: Sequence[Entry], settings: RolloutSettings, now: datetime) -> RolloutPosition | None:
    """Return where the rollout stands, None when nothing is deployed."""
    current, began = deployed(entries), since(entries)
    if current is None or began is None:
        return None
    left = max(timedelta(hours=settings.soak_hours) - (now - began), timedelta())
    return RolloutPosition(current, began, left, next_step(current.percentage, settings.steps), pause(entries))


def next_step(current: int, steps: Sequence[int]) -> int | None:
    """Return the smallest step above `current` percent, None at the end."""
    return min((step for step in steps if step > current), default=None)


def decide(position: RolloutPosition, request: StepRequest) -> int | Objection:
    """Return the percentage to go to, or the first objection. With a reason another step may come, and come early."""
    current, following, to, reason = position.percentage, position.next_step, request.to, request.reason
    if to is None:
        if following is None:
            return Objection(f"{current} % is the last step", "there is nothing left to promote")
        to = following
    elif not 0 <= to <= 100:
        return Objection(f"--to should be a percentage from 0 to 100 (got {to})", "name a step of the plan")
    elif to <= current:
        fix = "a promotion only goes up; ./fridayctl rollback goes down"
        return Objection(f"{to} % is not above the present {current} %", fix)
    elif to != following and not reason:
        shown = "no step is left" if following is None else f"the next step is {following} %"
        return Objection(f"{to} % is out of order ({shown})", "say why with --reason, or leave --to out")
    if position.soak_left and not reason:
        fix = "wait, or cut the soak with --reason WHY (the history keeps it)"
        return Objection(f"the soak is not over: {in_words(position.soak_left)} left", fix)
    return to


def in_words(span: timedelta) -> str:
    """Return a span of time as people say it: 47 h 12 min, 3 min, 20 s."""
    seconds = int(span.total_seconds())
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"
