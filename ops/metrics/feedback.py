"""What users said of answers, and how testers' answers compare: from Friday's metrics, and from the history."""

import datetime as dt
from collections.abc import Sequence

from indicators import selectors
from indicators.selectors import FRIDAY
from ops.metrics.prometheus import Prometheus
from ops.metrics.server import SilentError
from ops.rollout import feedback
from ops.rollout.feedback import PATHS, Reported
from ops.rollout.gates.complaints import Heard, heard
from ops.rollout.gates.evidence import Calls, Distribution, Measured
from ops.rollout.gates.look import Look, Scope, Window
from ops.rollout.history import Entry, reported_between

CHECKS = ("schema", "answered", "language")
"""What Friday checks of testers' answers, as it labels that."""

_COUNTER = "friday_llm_feedback"


class Quality(Measured):
    """The answers that testers got over one path: their lengths in characters, and by check which did not pass."""

    path: str
    lengths: Distribution
    checks: dict[str, Calls]

    @property
    def answers(self) -> int:
        """Return how many there are."""
        return self.lengths.samples


class Feedback(Measured):
    """What users said within some seconds, by path, operators' entries included, and the quality of testers' answers.

    `silent` says why Friday's own counts are not in it, "" when they are.
    """

    seconds: float
    paths: dict[str, Heard]
    entered: tuple[Reported, ...]
    quality: tuple[Quality, ...] = ()
    silent: str = ""


def said(prometheus: Prometheus, entries: Sequence[Entry], now: dt.datetime, seconds: float) -> Feedback:
    """Return what users said in the last `seconds`; never raises for a Prometheus that does not answer."""
    entered = reported_between(entries, now - dt.timedelta(seconds=seconds), now)
    totals = feedback.totals(entered)
    look = Look(prometheus.ask, Scope(now.timestamp(), {}, True, None), Window(now.timestamp(), seconds))
    counted: dict[str, Heard | None] = {}
    quality: list[Quality] = []
    try:
        silent = _missing(prometheus)
        counted = {path: heard(look, path) for path in PATHS}
        quality = [found for path in PATHS if (found := _quality(look, path))]
    except SilentError as error:
        silent = str(error)
    return Feedback(
        seconds=seconds,
        paths={path: (counted.get(path) or Heard()).plus(totals.get(path, {})) for path in PATHS},
        entered=tuple(entered),
        quality=tuple(quality),
        silent=silent,
    )


def _missing(prometheus: Prometheus) -> str:
    """Return in a sentence that Friday's image counts no feedback, "" when it does. Raises SilentError."""
    names = prometheus.names()
    of_friday = {name for name in names if name.startswith("friday_")}
    if not of_friday:
        return "Friday shows no metrics of its own now"
    if not any(name.startswith(_COUNTER) for name in of_friday):
        return f"this image of Friday does not count feedback ({_COUNTER}_total)"
    return ""


def _quality(look: Look, path: str) -> Quality | None:
    lengths = look.durations(selectors.lengths(path), FRIDAY)
    if lengths is None or not lengths.samples:
        return None
    checks = {check: _checked(look.by_label(selectors.checks(check, path), "passed", FRIDAY)) for check in CHECKS}
    return Quality(path=path, lengths=lengths, checks=checks)


def _checked(by_passed: dict[str, float] | None) -> Calls:
    passed, failed = (round((by_passed or {}).get(value, 0)) for value in ("true", "false"))
    return Calls(total=passed + failed, failed=failed)
