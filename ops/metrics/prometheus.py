"""A client of Prometheus' HTTP API: queries of one moment or many, firing alerts, what is scraped, and its clock."""

import datetime as dt
import math
import time
from typing import Literal, TypeVar

from pydantic import AliasPath, BaseModel, Field, TypeAdapter, field_validator

from ops.metrics.server import SECONDS, Server
from ops.rollout.gates.look import Sample

OVER_SECONDS = 60.0
"""How long a question about many moments may take: a week of it on a busy host."""

_Model = TypeVar("_Model", bound=BaseModel)


class _Answer(BaseModel):
    kind: Literal["vector"] = Field(validation_alias=AliasPath("data", "resultType"))
    vector: list[Sample] = Field(validation_alias=AliasPath("data", "result"))


class Trail(BaseModel):
    """One element of Prometheus' range vector: its labels, and its values with their moments (epoch seconds)."""

    metric: dict[str, str]
    points: list[tuple[float, float]] = Field(validation_alias="values")

    @field_validator("points")
    @classmethod
    def _finite(cls, value: list[tuple[float, float]]) -> list[tuple[float, float]]:
        # NaN is how Prometheus says that there was nothing to divide by: no value.
        return [(at, number) for at, number in value if math.isfinite(number)]


class _Trails(BaseModel):
    kind: Literal["matrix"] = Field(validation_alias=AliasPath("data", "resultType"))
    matrix: list[Trail] = Field(validation_alias=AliasPath("data", "result"))


class FiringAlert(BaseModel):
    """An alert that a rule has raised, with its labels and annotations."""

    labels: dict[str, str]
    annotations: dict[str, str] = Field(default_factory=dict)
    state: str
    since: dt.datetime = Field(validation_alias="activeAt")


class _Alerts(BaseModel):
    alerts: list[FiringAlert] = Field(validation_alias=AliasPath("data", "alerts"))


class _Names(BaseModel):
    data: dict[str, object]


class Prometheus(Server):
    """Asks one Prometheus."""

    software = "Prometheus"

    def ask(self, expression: str, at: float) -> list[Sample]:
        """Return the vector of an expression at epoch second `at`, without what is not a number. Raises SilentError."""
        return self._ask({"query": expression, "time": f"{at:.3f}"})

    def over(self, expression: str, began: float, ended: float, step: float) -> list[Trail]:
        """Return an expression's values each `step` seconds from epoch second `began` to `ended`. Raises SilentError.

        What is not a number is left out.
        """
        form = {"query": expression, "start": f"{began:.3f}", "end": f"{ended:.3f}", "step": f"{step:.3f}"}
        return self._post("query_range", _Trails, form, OVER_SECONDS).matrix

    def alerts(self) -> list[FiringAlert]:
        """Return the alerts that fire now by the server's own rules. Raises SilentError."""
        return [each for each in self._get("alerts", _Alerts).alerts if each.state == "firing"]

    def names(self) -> frozenset[str]:
        """Return the metrics that the scraped parts have now, also those without a value yet. Raises SilentError."""
        return frozenset(self._get("metadata?limit_per_metric=1", _Names).data)

    def ahead(self) -> float:
        """Return by how many seconds the server's clock is ahead of this machine's; 0 when it does not say.

        Raises SilentError.
        """
        before = time.time()
        found = self._ask({"query": "vector(time())"})
        # It may have been read at any moment between the two.
        after = time.time()
        return sum(min(each.number - before, 0) + max(each.number - after, 0) for each in found[:1])

    def _ask(self, asked: dict[str, str]) -> list[Sample]:
        found = self._post("query", _Answer, asked).vector
        return [sample for sample in found if math.isfinite(sample.number)]

    def _get(self, what: str, kind: type[_Model]) -> _Model:
        return self._read(TypeAdapter(kind), self._request("GET", f"/api/v1/{what}"))

    def _post(self, what: str, kind: type[_Model], form: dict[str, str], seconds: float = SECONDS) -> _Model:
        # Expressions may be too long for an address.
        answer = self._request("POST", f"/api/v1/{what}", data=form, timeout=seconds)
        return self._read(TypeAdapter(kind), answer)
