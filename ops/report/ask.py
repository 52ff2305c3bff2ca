"""Asks Prometheus many things in few requests: each may be a command in a container of a host far away."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from indicators import promql, selectors
from ops.metrics.names import missing
from ops.metrics.prometheus import Prometheus, Trail
from ops.metrics.server import SilentError, answered
from ops.report.grid import Grid, Row, Rows

FRIDAY, GATEWAY, EDGE = "friday", "gateway", "edge"
_ALIVE = {FRIDAY: selectors.FRIDAY, GATEWAY: selectors.GATEWAY, EDGE: selectors.EDGE}
"""What each part shows as long as it is scraped: where it is there, a counter that is not there stands at 0."""

_NAME = "asked"
"""The label that says which question an answer belongs to."""

_AT_ONCE = 4
_MOST = 1e15
"""No counter of a stack comes that far, and none falls."""


@dataclass(frozen=True)
class Question:
    """Something counted or shown over a window; the answer's labels are `by`.

    `part` is whose counter it is: in a step in which that part was scraped no answer means 0, and one that begins while
    its metrics are missing is unknown. "" is for what shows itself whether it is there.
    """

    expression: Callable[[str], str]
    by: tuple[str, ...] = ()
    part: str = ""


Questions = Mapping[str, Question]


@dataclass(frozen=True)
class Batch:
    """Questions that are asked in one request, of each step of a grid; each looks back over its own step.

    How often each of the `parts` was scraped is asked too (`seen`), as it is for the parts of the questions.
    """

    questions: Questions
    grid: Grid
    parts: tuple[str, ...] = ()

    @property
    def expression(self) -> str:
        """Return all questions as one expression, whose results have the question's name as a label."""
        named = {name: each.expression(_window(self.grid)) for name, each in self._with_parts.items()}
        return " or ".join(
            f'label_replace({expression}, "{_NAME}", "{name}", "", "")' for name, expression in named.items()
        )

    @property
    def _with_parts(self) -> Questions:
        parts = dict.fromkeys([*self.parts, *(each.part for each in self.questions.values() if each.part)])
        scrapes = {seen(part): Question(partial(_scrapes, _ALIVE[part])) for part in parts}
        gaps = {_gap(part): Question(partial(_begins_in_a_gap, _ALIVE[part])) for part in parts}
        return {**scrapes, **gaps, **self.questions}

    def read(self, trails: Sequence[Trail], names: frozenset[str] | SilentError) -> dict[str, Rows]:
        """Return what the answer says to each question; one whose metric is gone from its part is unknown."""
        steps = self._steps(trails)
        nobody: list[Row | None] = [None] * self.grid.count
        found: dict[str, Rows] = {}
        for name, question in self._with_parts.items():
            own, gone = steps.get(name, nobody), missing([question.expression(_window(self.grid))], names)
            if question.part:
                there, in_a_gap = steps.get(seen(question.part), nobody), steps.get(_gap(question.part), nobody)
                own = [
                    None if lost else mine or ({} if alive else None)
                    for mine, alive, lost in zip(own, there, in_a_gap, strict=True)
                ]
            found[name] = Rows.unknown(self.grid.count, gone) if gone else _rows(name, own, question.part)
        return found

    def _steps(self, trails: Sequence[Trail]) -> dict[str, list[Row | None]]:
        filled: dict[str, list[dict[tuple[str, ...], float] | None]] = {}
        questions = self._with_parts
        for trail in trails:
            name = trail.metric.get(_NAME, "")
            if name not in questions:
                continue
            labels = tuple(trail.metric.get(label, "") for label in questions[name].by)
            row = filled.setdefault(name, [None] * self.grid.count)
            for at, number in trail.points:
                place = self.grid.place(at)
                if place is not None:
                    step = row[place] = row[place] or {}
                    step[labels] = number
        return {name: list(row) for name, row in filled.items()}


def seen(part: str) -> str:
    """Return the name of the question how often a part was scraped in a step."""
    return f"seen_{part}"


def _gap(part: str) -> str:
    return f"gap_{part}"


def ask(prometheus: Prometheus, batches: Mapping[str, Batch]) -> tuple[dict[str, dict[str, Rows]], str]:
    """Return the answers to each batch's questions by their names, and why some have none; "" when all have.

    Never raises: what Prometheus does not answer is unknown.
    """
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        names = pool.submit(answered, prometheus.names)
        asked = {name: pool.submit(answered, partial(_over, prometheus, batch)) for name, batch in batches.items()}
        trails = {name: answer.result() for name, answer in asked.items()}
        found = {name: _read(batches[name], answer, names.result()) for name, answer in trails.items()}
    return found, next((str(each) for each in trails.values() if isinstance(each, SilentError)), "")


def _over(prometheus: Prometheus, batch: Batch) -> list[Trail]:
    ends = batch.grid.ends
    return prometheus.over(batch.expression, ends[0], ends[-1], batch.grid.step)


def _read(batch: Batch, trails: list[Trail] | SilentError, names: frozenset[str] | SilentError) -> dict[str, Rows]:
    if isinstance(trails, SilentError):
        return {name: Rows.unknown(batch.grid.count, str(trails)) for name in batch.questions}
    return batch.read(trails, names)


def _rows(name: str, steps: Sequence[Row | None], part: str) -> Rows:
    if not all(0 <= number <= _MOST for step in steps for number in (step or {}).values()):
        return Rows.unknown(len(steps), f"Prometheus' numbers for {name} make no sense")
    if any(step is not None for step in steps):
        return Rows(tuple(steps))
    return Rows.unknown(len(steps), f"Prometheus has no figures of {part or 'it'} in this time")


def _window(grid: Grid) -> str:
    return promql.duration(grid.step)


def _scrapes(metric: str, window: str) -> str:
    """Return how often a metric was scraped within a window, at the replica that was scraped most."""
    return f"max(count_over_time({metric}[{window}]))"


def _begins_in_a_gap(metric: str, window: str) -> str:
    """Return what is there when a metric was not seen just before a window, and was within the day before.

    Where a counter stood when the window began is not known then, and its whole life would be counted in it. Five
    minutes is how far back Prometheus itself looks for a sample.
    """
    before, day = (f"max(count_over_time({metric}[{length}] offset {window}))" for length in ("5m", "1d"))
    return f"{day} unless {before}"
