"""A client of Prometheus' HTTP API for instant queries, and the expressions that the rollout asks with."""

import math
from collections.abc import Iterable
from typing import Literal

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

SECONDS = 10.0
"""How long one query may take: the whole of `status` is meant to take 3 s."""


class SilentError(Exception):
    """A source of metrics gave no usable answer; the text says which and why."""


class Sample(BaseModel):
    """One element of an instant vector."""

    model_config = ConfigDict(frozen=True)

    metric: dict[str, str]
    value: tuple[float, float]

    @property
    def number(self) -> float:
        """Return the value without its time."""
        return self.value[1]


class _Data(BaseModel):
    resultType: Literal["vector"]  # noqa: N815 - Prometheus' own spelling
    result: list[Sample]


class _Answer(BaseModel):
    data: _Data


class Prometheus:
    """Asks one server. Usable by several threads at once; `close` it at the end."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self._url = url.rstrip("/")
        self._client = httpx.Client(timeout=SECONDS, transport=transport, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(self, expression: str, at: float) -> list[Sample]:
        """Return the vector of an expression at epoch second `at`, without what is not a number.

        Raises SilentError when there is no usable answer.
        """
        try:
            response = self._client.post(f"{self._url}/api/v1/query", data={"query": expression, "time": f"{at:.3f}"})
        except httpx.HTTPError as error:
            raise SilentError(f"Prometheus at {self._url} does not answer ({error or type(error).__name__})") from error
        if response.status_code != httpx.codes.OK:
            said = response.text[:300]
            raise SilentError(f"Prometheus at {self._url} answers {response.status_code}: {said}")
        try:
            found = _Answer.model_validate_json(response.content).data.result
        except ValidationError as error:
            raise SilentError(f"what answers at {self._url} is no Prometheus") from error
        return [sample for sample in found if math.isfinite(sample.number)]


def counted(metric: str, seconds: float, by: Iterable[str] = ()) -> str:
    """Return the expression of how far a counter rose within the last `seconds`, exactly.

    `increase` would miss all that a new series counted before it was first scraped: the first error of its kind, the
    first dollar. So a series that was not there at the window's start counts from 0, and so does one that begins the
    window below where it stood: its next life, as when a new replica was given the address of the one before it.
    `increase` is for those that were reset within the window.
    """
    window = f"{metric}[{duration(seconds)}]"
    highest = f"max_over_time({window})"
    before = f"({metric} offset {duration(seconds)} <= min_over_time({window}) or {highest} * 0)"
    return f"sum by ({', '.join(by)}) ((increase({window}) and resets({window}) > 0) or {highest} - {before})"


def rising(metric: str, seconds: float, by: Iterable[str] = ()) -> str:
    """Return the expression of a counter's increase, for the many series of a histogram: quicker, and near enough."""
    return f"sum by ({', '.join(by)}) (increase({metric}[{duration(seconds)}]))"


def sampled(function: str, expression: str, seconds: float, *, finest: float = 5) -> str:
    """Return a function over time of an expression, sampled at most 2,880 times (each minute of 48 h)."""
    return f"{function}(({expression})[{duration(seconds)}:{duration(step(seconds, finest))}])"


def step(seconds: float, finest: float = 5) -> float:
    """Return the seconds between two samples of `sampled`."""
    return max(finest, math.ceil(seconds / 2880))


def duration(seconds: float) -> str:
    """Return seconds as Prometheus writes them; never 0, which it refuses."""
    return f"{max(1, round(seconds * 1000))}ms"
