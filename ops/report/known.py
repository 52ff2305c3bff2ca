"""What a report is made of: what a stack's files and history say, what the gates say, and what was measured."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from components.settings.stack import StackSettings
from ops.hosts.docker_host import Instance
from ops.metrics.alertmanager import Alerting
from ops.metrics.prometheus import FiringAlert
from ops.report.grid import Grid, Rows
from ops.report.model import Feedback, Quality
from ops.rollout.gates.evidence import Evidence
from ops.rollout.gates.forecast import Forecast
from ops.rollout.gates.gate import AnalysisResult
from ops.rollout.history import Entry
from ops.rollout.steps import RolloutPosition


@dataclass(frozen=True)
class Judged:
    """What the gates were handed, and said, in the present step; `forecast` is of today's free requests."""

    evidence: Evidence
    gates: AnalysisResult
    forecast: Forecast | None


@dataclass(frozen=True)
class Known:
    """A stack as its files, its history and its hosts say at `now`. `position` is None when nothing is deployed.

    `instances` are its containers, None when no host could be asked; `problems` say by source why one did not answer.
    """

    stack: str
    settings: StackSettings
    now: dt.datetime
    entries: Sequence[Entry]
    position: RolloutPosition | None
    testers: int = 0
    instances: Sequence[Instance] | None = None
    judged: Judged | None = None
    alerting: Alerting = field(default_factory=Alerting)
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def percentage(self) -> int:
        """Return the share of users on the gateway, in percent; 0 when nothing is deployed."""
        return self.position.percentage if self.position else 0


Answers = Mapping[str, Mapping[str, Rows]]


@dataclass(frozen=True)
class Measured:
    """What Prometheus knows, by batch and question, over `grid`; `silent` is why it knows nothing, else "".

    `unheard` is why Friday's own counts are not in `feedback`.
    """

    grid: Grid
    answers: Answers = field(default_factory=dict)
    has_friday: bool = True
    alerts: Sequence[FiringAlert] | None = None
    feedback: tuple[Feedback, ...] = ()
    quality: tuple[Quality, ...] = ()
    unheard: str = ""
    silent: str = ""

    def rows(self, batch: str, name: str) -> Rows:
        """Return the answers to a question, of each step of its batch."""
        found = self.answers.get(batch, {}).get(name)
        return found or Rows.unknown(self.grid.count, self.silent or "it was not asked")
