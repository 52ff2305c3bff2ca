"""What a report holds. It is made once, then printed as JSON or rendered; whoever renders it asks nobody again.

Moments are in UTC, durations in seconds, shares from 0 to 1, money in US dollars. None is what is not known. It never
means 0, and a field beside it says why.
"""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from ops.rollout.gates.gate import Verdict as Gate

VERSION = 1
"""Of the JSON document: raised when a field is renamed or means something else, not when one is added."""


class Fact(BaseModel):
    """Base of everything in a report."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Level(StrEnum):
    """How much somebody has to do. `unknown` is for what nothing was measured of."""

    HEALTHY = "healthy"
    LOOK = "needs a look"
    ACT = "act now"
    UNKNOWN = "unknown"


class Unit(StrEnum):
    """What a number counts. A `share` is 0 to 1 and shown in percent."""

    SHARE = "share"
    SECONDS = "seconds"
    CALLS = "calls"
    REQUESTS = "requests"
    TOKENS = "tokens"
    DOLLARS = "dollars"
    VOTES = "votes"


class Window(Fact):
    """A stretch of time."""

    began: datetime
    ended: datetime

    @property
    def seconds(self) -> float:
        """Return how long it is."""
        return (self.ended - self.began).total_seconds()


class Reason(Fact):
    """Why a verdict is what it is, and the command that helps; "" when nothing has to be done."""

    level: Level
    text: str
    command: str = ""


class Verdict(Fact):
    """The first thing on the page. `reasons` are the worst first; `command` is the one to run next."""

    level: Level
    headline: str
    reasons: tuple[Reason, ...] = ()
    command: str


class Rollout(Fact):
    """Where the rollout stands by the history. `next_step` (percent) is None at the last one."""

    percentage: int
    since: datetime
    soak_left_seconds: float
    next_step: int | None
    paused: str = Field(default="", description="the message of the pause in force")
    testers: int = 0


class Figure(Fact):
    """A number over `window`, and the same over the window `before`, which is as long and ends where it begins.

    `name` is the indicator's (`indicators.INDICATORS`), with the path or the like behind a dot. `limit` is what it
    should not go above; None when nothing limits it.
    """

    name: str
    title: str
    unit: Unit
    window: Window
    value: float | None
    before: float | None = None
    limit: float | None = None
    source: str = "Prometheus"
    why: str = Field(default="", description="why `value` is None")


class Check(Fact):
    """A line of a checklist: one thing that somebody looks at every day or week, with what was found."""

    name: str
    title: str
    level: Level
    says: str = Field(description="the finding in a sentence")
    figures: tuple[Figure, ...] = ()
    command: str = Field(default="", description="what to run when it is not healthy")


class Line(Fact):
    """One line of a plot. Value i stands for the `step_seconds` that end i steps after `began`; None is a gap."""

    name: str = Field(description="litellm, fallback, direct; gateway: the first two together; users: all, by the edge")
    values: tuple[float | None, ...]


class Series(Fact):
    """A plot: lines over the report's whole window that have the same moments."""

    name: str
    title: str
    unit: Unit
    began: datetime
    step_seconds: float
    lines: tuple[Line, ...]
    limit: float | None = Field(default=None, description="a threshold to draw, in `unit`")
    why: str = Field(default="", description="why there is no line at all")


class Mark(Fact):
    """A step of the rollout within the window, for a plot. `before` and `percentage` are shares of users, in percent.

    `before` is None when nothing was deployed.
    """

    at: datetime
    before: int | None
    percentage: int
    verb: str = Field(description="promote, rollback, abort, up, ...; update when the message is in somebody's words")
    message: str


class Estimate(Fact):
    """A measured number, between which bounds the true one is, and of how many calls it was made.

    A bound that is None is not known, as the upper one of a quantile beyond the last bucket.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    samples: int | None = None


class Comparison(Fact):
    """LiteLLM's users against those of the direct path. `difference` is the first's minus the second's.

    `baseline` says who is compared with: the direct path at the same time, or the step before. `method` names how the
    bounds were computed, and how sure they are.
    """

    name: str
    title: str
    unit: Unit
    window: Window
    baseline: str
    ours: Estimate
    theirs: Estimate
    difference: Estimate | None = None
    method: str
    says: str
    why: str = Field(default="", description="why a value is None")


class Incident(Fact):
    """Something that went wrong, or had to be undone. `ended` is None while it goes on.

    `kind`: abort, rollback, failed-update, switch-closed, breaker-open, replicas-down, no-metrics, alert.
    """

    kind: str
    level: Level
    began: datetime
    ended: datetime | None
    title: str
    details: str = ""
    source: str
    command: str = ""


class Quota(Fact):
    """The account's free requests. `used_share` is of the last minute; `ends` None when they last until midnight UTC.

    `left_today` is None when OpenRouter does not say it.
    """

    per_minute: int
    used_share: float | None
    per_day: int
    left_today: int | None
    ends: datetime | None
    per_hour: float | None = Field(default=None, description="what users of both paths ask, of late")
    says: str


class Provider(Fact):
    """A model of the gateway: how often it was asked, and for how long it was left out, by reason."""

    model: str
    calls: float | None
    share: float | None = Field(default=None, description="of all calls to models")
    out_seconds: dict[str, float] = Field(default_factory=dict)


class Usage(Fact):
    """How people use it. `hours` are calls of both paths by the hour of the day (UTC, 0 to 23), an hour's mean over
    the days of the window in which it was seen: None when in none. `models` are over the whole window.
    """

    hours: tuple[float | None, ...] = ()
    models: tuple[Provider, ...] = ()
    why: str = ""


class Feedback(Fact):
    """What users of one path said of its answers, of how many: counted by Friday and entered by operators."""

    path: str
    up: float
    down: float
    complaints: float
    answers: float | None = None


class Quality(Fact):
    """Answers of one path to consenting testers, in numbers; never their text. Shares are None without such an answer.

    `schema_share` had to be JSON and was, `answered_share` is no refusal, `language_share` is in the question's
    language. Characters are a quantile of whole answers.
    """

    path: str
    answers: float
    p50_characters: float | None = None
    p95_characters: float | None = None
    schema_share: float | None = None
    answered_share: float | None = None
    language_share: float | None = None


class Alert(Fact):
    """An alert that fires now."""

    name: str
    severity: str
    since: datetime
    summary: str
    command: str = ""
    runbook: str = ""


class Source(Fact):
    """Where numbers come from, and whether it answered; `says` is why not, or what was odd."""

    name: str
    answered: bool
    says: str = ""


class Report(Fact):
    """A stack over a window, judged. `day`, the daily checklist's, is its last 24 hours: all of a shorter one, and
    one step of a window whose steps are longer.
    """

    version: int = VERSION
    stack: str
    made: datetime
    window: Window
    day: Window
    verdict: Verdict
    rollout: Rollout | None = Field(default=None, description="None when nothing is deployed")
    daily: tuple[Check, ...] = ()
    weekly: tuple[Check, ...] = ()
    series: tuple[Series, ...] = ()
    marks: tuple[Mark, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    gates: tuple[Gate, ...] = ()
    incidents: tuple[Incident, ...] = Field(default=(), description="newest first")
    quota: Quota | None = None
    usage: Usage = Usage()
    feedback: tuple[Feedback, ...] = ()
    feedback_window: Window | None = Field(default=None, description="what `feedback` and `quality` are of")
    quality: tuple[Quality, ...] = ()
    alerts: tuple[Alert, ...] = ()
    sources: tuple[Source, ...] = ()
    notes: tuple[str, ...] = Field(default=(), description="what a reader has to know of this report itself")
