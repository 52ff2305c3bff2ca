"""Where a stack's rollout stands: computed from its history, its settings and the time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from components.settings.rollout import RolloutSettings
from ops.rollout.history import Entry, deployed, pause, since
from ops.rollout.steps import Plan, next_step, soak_left


@dataclass(frozen=True)
class RolloutPosition:
    """The present step: `percentage` (0 to 100) since `since`, how much of its soak is left, and what is next.

    `paused` is the pause in force.
    """

    current: Entry
    since: datetime
    soak_left: timedelta
    next_step: int | None
    paused: Entry | None

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


def plan_of(settings: RolloutSettings) -> Plan:
    """Return the settings as the steps' arithmetic takes them."""
    return Plan(steps=settings.steps, soak=timedelta(hours=settings.soak_hours))


def position_of(entries: Sequence[Entry], settings: RolloutSettings, now: datetime) -> RolloutPosition | None:
    """Return where the rollout stands, None when nothing is deployed."""
    current, began = deployed(entries), since(entries)
    if current is None or began is None:
        return None
    plan = plan_of(settings)
    left = soak_left(began, now, plan.soak)
    return RolloutPosition(current, began, left, next_step(current.percentage, plan.steps), pause(entries))
