"""Feedback: what users said by mail or phone goes into the history; what they said in all is shown by path."""

import datetime as dt
from dataclasses import dataclass

from indicators.selectors import DIRECT_PATH, GATEWAY_PATHS
from ops.commands.pause import note
from ops.deployment import Deployment
from ops.errors import EXIT_USAGE, OperationError
from ops.metrics.collect import sources, windows
from ops.metrics.feedback import CHECKS, Feedback, Quality, said
from ops.metrics.prometheus import Prometheus
from ops.rollout import feedback
from ops.rollout.gates import complaints
from ops.rollout.gates.complaints import Heard
from ops.rollout.gates.evidence import Calls
from ops.rollout.gates.proportions import difference, wilson
from ops.rollout.steps import position_of


@dataclass(frozen=True)
class Ratings:
    """What an operator enters: ratings of answers over one path, and a note."""

    path: str
    rating: str
    count: int = 1
    note: str = ""


@dataclass(frozen=True)
class Summary:
    """What users of a stack said since `since`; bounds hold with `confidence` (0.5 to 1) each."""

    stack: str
    since: dt.datetime
    found: Feedback
    confidence: float

    @property
    def gap(self) -> tuple[float, float] | None:
        """Return between which shares more of the answers of LiteLLM's users are thought bad; None: not known."""
        ours, theirs = (self._together(*paths) for paths in (GATEWAY_PATHS, DIRECT_PATH))
        if not ours.answers or not theirs.answers:
            return None
        return difference(ours.calls, theirs.calls, self.confidence)

    def bounds(self, calls: Calls) -> tuple[float, float] | None:
        """Return the bounds of a share of failed calls; None without any."""
        return wilson(calls, self.confidence) if calls.total else None

    @property
    def quality_gaps(self) -> dict[str, tuple[float, float]]:
        """Return by check between which shares more of LiteLLM's answers fail it than of the direct ones."""
        by_path = {each.path: each for each in self.found.quality}
        if "litellm" not in by_path or "direct" not in by_path:
            return {}
        pairs = {check: (by_path["litellm"].checks[check], by_path["direct"].checks[check]) for check in CHECKS}
        return {
            check: difference(ours, theirs, self.confidence)
            for check, (ours, theirs) in pairs.items()
            if ours.total and theirs.total
        }

    def document(self) -> dict[str, object]:
        """Return it for --json. Shares are of 1; what is not known is null."""
        return {
            "stack": self.stack,
            "since": self.since,
            "seconds": self.found.seconds,
            "silent": self.found.silent,
            "confidence": self.confidence,
            "paths": {path: self._path(heard) for path, heard in self.found.paths.items()},
            "difference": self.gap,
            "entered": [vars(each) for each in self.found.entered],
            "quality": {each.path: self._quality(each) for each in self.found.quality},
            "quality_differences": self.quality_gaps,
        }

    def _together(self, *paths: str) -> Heard:
        parts = [self.found.paths[path] for path in paths]
        known = [each.answers for each in parts if each.answers is not None]
        together = Heard(answers=sum(known) if known else None)
        for each in parts:
            together = together.plus(each.model_dump(include=set(feedback.RATINGS)))
        return together

    def _path(self, heard: Heard) -> dict[str, object]:
        known = heard.answers is not None
        return {
            **heard.model_dump(),
            "bad_share": heard.calls.rate if known and heard.calls.total else None,
            "bounds": self.bounds(heard.calls) if known else None,
        }

    def _quality(self, found: Quality) -> dict[str, object]:
        shares = {check: 1 - calls.rate if calls.total else None for check, calls in found.checks.items()}
        return {
            "answers": found.answers,
            "chars": {"p50": found.lengths.quantile(0.5), "p95": found.lengths.quantile(0.95)},
            "passed": shares,
            "checked": {check: calls.total for check, calls in found.checks.items()},
        }


def enter(deployment: Deployment, given: Ratings) -> str:
    """Write ratings into a stack's history; return the message.

    Raises OperationError (exit code 2) when nothing is deployed, or when the update would change something that runs.
    """
    message = feedback.message(given.path, given.rating, given.count, given.note)
    note(deployment, message)
    return message


def look(deployment: Deployment) -> Summary:
    """Return what users said in the present step, over the window of the gate on complaints.

    Raises OperationError (exit code 2) when nothing is deployed.
    """
    settings, now = deployment.settings, dt.datetime.now(dt.UTC)
    entries = deployment.history
    step = position_of(entries, settings.rollout, now)
    if step is None:
        raise OperationError(f"{deployment.name} is not deployed", f"./fridayctl up {deployment.name}", EXIT_USAGE)
    seconds = windows(settings, (now - step.since).total_seconds())[complaints.NAME]
    asked = sources(deployment, deployment.outputs())
    prometheus = Prometheus(asked.prometheus, asked.transport)
    try:
        found = said(prometheus, entries, now, seconds)
    finally:
        prometheus.close()
    confidence = settings.gates.errors.confidence_percent / 100
    return Summary(deployment.name, now - dt.timedelta(seconds=seconds), found, confidence)
