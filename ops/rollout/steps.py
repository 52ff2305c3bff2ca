"""The rollout's steps as arithmetic: which comes next, and whether it may come now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Plan:
    """The steps in percent, each above the one before, and how long each one soaks before the next."""

    steps: tuple[int, ...]
    soak: timedelta


@dataclass(frozen=True)
class StepRequest:
    """A wish to go to `to` percent (None: the next step), with the reason for departing from the plan, if any."""

    to: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Objection:
    """Why a step is refused; `needs_reason` says that a reason would be enough."""

    what: str
    fix: str
    needs_reason: bool = False


def next_step(current: int, steps: Sequence[int]) -> int | None:
    """Return the smallest step above `current` percent, None at the end."""
    return min((step for step in steps if step > current), default=None)


def soak_left(since: datetime, now: datetime, soak: timedelta) -> timedelta:
    """Return how much of the soak is still to come, never below zero."""
    return max(soak - (now - since), timedelta())


def target(plan: Plan, current: int, request: StepRequest) -> int | Objection:
    """Return the percentage to go to, or why the wish cannot be granted at all or without a reason."""
    following = next_step(current, plan.steps)
    if request.to is None:
        if following is None:
            return Objection(f"{current} % is the last step", "there is nothing left to promote")
        return following
    if not 0 <= request.to <= 100:
        return Objection(f"--to should be a percentage from 0 to 100 (got {request.to})", "name a step of the plan")
    if request.to <= current:
        return Objection(
            f"{request.to} % is not above the present {current} %",
            "a promotion only goes up; ./fridayctl rollback goes down",
        )
    if request.to != following and not request.reason:
        shown = "no step is left" if following is None else f"the next step is {following} %"
        return Objection(
            f"{request.to} % is out of order ({shown})", "say why with --reason, or leave --to out", needs_reason=True
        )
    return request.to


def soak_objection(plan: Plan, since: datetime, now: datetime, request: StepRequest) -> Objection | None:
    """Return why it is too early, None when the soak is over or a reason for cutting it is given."""
    left = soak_left(since, now, plan.soak)
    if not left or request.reason:
        return None
    fix = "wait, or cut the soak with --reason WHY (the history keeps it)"
    return Objection(f"the soak is not over: {in_words(left)} left", fix, needs_reason=True)


def decide(plan: Plan, current: int, since: datetime, now: datetime, request: StepRequest) -> int | Objection:
    """Return the percentage to go to from `current`, which holds since `since`, or the first objection."""
    to = target(plan, current, request)
    return to if isinstance(to, Objection) else soak_objection(plan, since, now, request) or to


def in_words(span: timedelta) -> str:
    """Return a span of time as people say it: 47 h 12 min, 3 min, 20 s."""
    seconds = int(span.total_seconds())
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"
