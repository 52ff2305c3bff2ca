"""What went wrong in a window, by the history and by what Prometheus saw: newest first."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from components.friday import NAME as FRIDAY
from components.litellm import NAME as LITELLM
from components.settings.parts import FridaySettings, LitellmSettings
from ops.report import events
from ops.report.grid import Row, Rows, moment, spans
from ops.report.known import Known, Measured
from ops.report.model import Incident, Level
from ops.report.questions import STATES
from ops.rollout.history import exchanges, replicas_of
from ops.rollout.steps import in_words

PROMETHEUS = "Prometheus"
_OPEN = 2
"""How Friday shows a breaker that leaves the gateway alone."""

_REPLICAS: dict[str, int] = {
    FRIDAY: FridaySettings.model_fields["replicas"].default,
    LITELLM: LitellmSettings.model_fields["replicas"].default,
}
_SEEN_ENOUGH, _LATE_SCRAPES = 0.9, 2
"""The share of a step's scrapes below which metrics are missing, and how many at least: one that is late is no gap."""


def incidents(known: Known, measured: Measured) -> tuple[Incident, ...]:
    """Return what failed, was undone, was closed, open or down, and where metrics are missing; newest first."""
    window = measured.grid.window
    found = [
        *events.incidents(known.stack, known.entries, window),
        *_states(known, measured),
        *_gaps(known, measured),
        *_alerts(known, measured),
    ]
    return tuple(sorted(found, key=lambda each: each.began, reverse=True))


@dataclass(frozen=True)
class _State:
    """A state that is bad while `is_bad` says so of the number shown."""

    kind: str
    question: str
    title: str
    level: Level
    is_bad: Callable[[float, float], bool]
    """Of the number shown, and the epoch second at which the step ends that it is of."""
    command: str
    in_updates: bool = False
    """Whether it counts while replicas are exchanged, too."""


def _states(known: Known, measured: Measured) -> Iterator[Incident]:
    stack, ends = known.stack, measured.grid.ends
    updating = _updating(known, measured)
    for state in (
        _State(
            "switch-closed",
            "closed",
            "the gateway was closed at the edge",
            Level.LOOK,
            lambda number, _: number > 0,
            f"./fridayctl up {stack}",
            in_updates=True,
        ),
        _State(
            "breaker-open",
            "breaker",
            "Friday left the gateway alone: its breaker was open",
            Level.LOOK,
            lambda number, _: number >= _OPEN,
            f"./fridayctl logs {stack} litellm",
            in_updates=True,
        ),
        _State(
            "replicas-down",
            "gateway_replicas",
            "the edge had fewer replicas of the gateway than there should be",
            Level.LOOK,
            lambda number, at: number < _declared(known, LITELLM, at, measured.grid.step),
            f"./fridayctl status {stack}",
        ),
        _State(
            "replicas-down",
            "friday_replicas",
            "the edge had fewer replicas of Friday than there should be",
            Level.LOOK,
            lambda number, at: number < _declared(known, FRIDAY, at, measured.grid.step),
            f"./fridayctl status {stack}",
        ),
    ):
        rows = measured.rows(STATES, state.question)
        flags = [
            (number := _one(row)) is not None
            and state.is_bad(number, ends[place])
            and (state.in_updates or not updating[place])
            for place, row in enumerate(rows.steps)
        ]
        for first, last in spans(flags):
            yield _incident(measured, state, first, last)


def _declared(known: Known, part: str, at: float, step: float) -> int:
    """Return how many replicas of a part were declared in all of a step that ends `at`; 0 before the first update."""

    def by(moment: float) -> int:
        held = (entry for entry in known.entries if entry.succeeded and entry.at.timestamp() <= moment)
        return next((replicas_of(entry.config, part, _REPLICAS[part]) for entry in held), 0)

    return min(by(at - step), by(at))


def _gaps(known: Known, measured: Measured) -> Iterator[Incident]:
    """Yield the spans in which Prometheus saw less than nine tenths of a part, since it has seen any of it."""
    scrape = known.settings.monitoring.scrape_seconds
    expected = measured.grid.step / scrape
    # A gateway that is gone is no gap: a rollback may have taken it away.
    parts = ("edge", *(["friday"] if measured.has_friday else []))
    shares = [_shares(measured.rows(STATES, f"seen_{part}"), expected) for part in parts]
    seen = [min(each) for each in zip(*shares, strict=True)]
    # Before the stack was made, or beyond what Prometheus keeps, there was nothing to see.
    begun = next((place for place, share in enumerate(seen) if share), len(seen))
    updating = _updating(known, measured)
    flags = [
        place > begun
        and share < _SEEN_ENOUGH
        and (1 - share) * expected >= _LATE_SCRAPES
        and not (updating[place] and share)
        for place, share in enumerate(seen)
    ]
    for first, last in spans(flags):
        lost = sum(1 - share for share in seen[first : last + 1]) * measured.grid.step
        state = _State(
            "no-metrics",
            "",
            f"metrics are missing: about {in_words(dt.timedelta(seconds=lost))}",
            Level.LOOK,
            lambda *_: True,
            f"./fridayctl logs {known.stack} prometheus",
        )
        yield _incident(measured, state, first, last)


def _alerts(known: Known, measured: Measured) -> Iterator[Incident]:
    rows = measured.rows(STATES, "firing")
    names = sorted({labels for row in rows.steps if row for labels in row})
    for name, severity in names:
        flags = [bool(row and row.get((name, severity))) for row in rows.steps]
        for first, last in spans(flags):
            state = _State(
                "alert",
                "",
                f"the alert {name} fired",
                Level.ACT if severity == "critical" else Level.LOOK,
                lambda *_: True,
                f"./fridayctl status {known.stack}",
            )
            yield _incident(measured, state, first, last)


def _incident(measured: Measured, state: _State, first: int, last: int) -> Incident:
    """Return an incident of some steps. It goes on when it is still there in the last step."""
    grid = measured.grid
    goes_on = last == grid.count - 1
    return Incident(
        kind=state.kind,
        level=state.level,
        began=moment(grid.began + first * grid.step),
        ended=None if goes_on else moment(grid.ends[last]),
        title=state.title,
        details=f"its times are known to within {in_words(dt.timedelta(seconds=grid.step))}",
        source=PROMETHEUS,
        command=state.command,
    )


def _updating(known: Known, measured: Measured) -> list[bool]:
    """Return of each step whether replicas were exchanged in it, or just before: then fewer of them serve."""
    grid = measured.grid
    ran = [(began.timestamp(), ended.timestamp() + grid.step) for began, ended in exchanges(known.entries, known.now)]
    return [any(began < end and ended > end - grid.step for began, ended in ran) for end in grid.ends]


def _shares(rows: Rows, expected: float) -> list[float]:
    return [min(1.0, (_one(row) or 0.0) / expected) for row in rows.steps]


def _one(row: Row | None) -> float | None:
    return next(iter(row.values()), None) if row else None
