"""A client of Prometheus' HTTP API for instant queries."""

import math
from collections.abc import Callable
from typing import Literal, TypeVar

import httpx
from pydantic import AliasPath, BaseModel, Field, ValidationError

from ops.rollout.gates.look import Sample

SECONDS = 10.0
"""How long one query may take: the whole of `status` is meant to take 3 s."""

_Found = TypeVar("_Found")


class SilentError(Exception):
    """A source of metrics gave no usable answer; the text says which and why."""


def answered(ask: Callable[[], _Found]) -> _Found | SilentError:
    """Return what `ask` returns, or the SilentError that it raises."""
    try:
        return ask()
    except SilentError as error:
        return error


class _Answer(BaseModel):
    kind: Literal["vector"] = Field(validation_alias=AliasPath("data", "resultType"))
    vector: list[Sample] = Field(validation_alias=AliasPath("data", "result"))


class Prometheus:
    """Asks one server. Usable by several threads at once; `close` it at the end."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self._url = url.rstrip("/")
        self._client = httpx.Client(timeout=SECONDS, transport=transport, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(self, expression: str, at: float) -> list[Sample]:
        """Return the vector of an expression at epoch second `at`, without what is not a number. Raises SilentError."""
        try:
            response = self._client.post(f"{self._url}/api/v1/query", data={"query": expression, "time": f"{at:.3f}"})
        except httpx.HTTPError as error:
            raise SilentError(f"Prometheus at {self._url} does not answer ({error or type(error).__name__})") from error
        if response.status_code != httpx.codes.OK:
            said = response.text[:300]
            raise SilentError(f"Prometheus at {self._url} answers {response.status_code}: {said}")
        try:
            found = _Answer.model_validate_json(response.content).vector
        except ValidationError as error:
            raise SilentError(f"what answers at {self._url} is no Prometheus") from error
        return [sample for sample in found if math.isfinite(sample.number)]
