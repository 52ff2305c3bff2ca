"""What users said, in the report's words: Friday's own counts and what operators entered, together."""

import datetime as dt
from collections.abc import Mapping, Sequence

from ops.metrics import feedback as asked
from ops.report.model import Feedback, Quality
from ops.rollout import feedback
from ops.rollout.gates.complaints import Heard
from ops.rollout.gates.evidence import Calls
from ops.rollout.history import Entry, reported_between


def feedback_of(paths: Mapping[str, Heard], silent: str = "") -> tuple[Feedback, ...]:
    """Return the ratings of each path; nothing where nobody has rated or entered any.

    `silent` is why Friday's own counts are missing: how many answers there were is not known then.
    """
    if not any(heard.rated for heard in paths.values()):
        return ()
    return tuple(
        Feedback(
            path=path,
            up=heard.up,
            down=heard.down,
            complaints=heard.complaint,
            answers=None if silent else heard.answers,
        )
        for path, heard in paths.items()
    )


def entered(entries: Sequence[Entry], seconds: float, now: dt.datetime) -> tuple[Feedback, ...]:
    """Return what operators entered in the last `seconds`: all there is while Prometheus says nothing."""
    totals = feedback.totals(reported_between(entries, now - dt.timedelta(seconds=seconds), now))
    return feedback_of({path: Heard().plus(totals.get(path, {})) for path in feedback.PATHS}, "Prometheus is silent")


def quality_of(found: Sequence[asked.Quality]) -> tuple[Quality, ...]:
    """Return the testers' answers of each path that had any."""
    return tuple(
        Quality(
            path=each.path,
            answers=each.answers,
            p50_characters=each.lengths.quantile(0.5),
            p95_characters=each.lengths.quantile(0.95),
            schema_share=_passed(each.checks["schema"]),
            answered_share=_passed(each.checks["answered"]),
            language_share=_passed(each.checks["language"]),
        )
        for each in found
    )


def _passed(calls: Calls) -> float | None:
    return 1 - calls.rate if calls.total else None
