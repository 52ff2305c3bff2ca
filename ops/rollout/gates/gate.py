"""Gate: one declaration of all that makes a gate, and Figure: one of the numbers that it looks at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from ops.rollout.gates.evidence import Calls, Distribution, Evidence, Load
from ops.rollout.gates.verdict import GateInput, Verdict

FRIDAY = "friday_llm_rollout_percentage"
GATEWAY = "gateway_quota_requests_per_minute"
EDGE = 'haproxy_backend_active_servers{proxy="litellm"}'
"""What each part shows as long as it is scraped: where it is there, a counter that is not there stands at 0."""

GATEWAY_PATHS = ("litellm", "fallback")
"""The paths of the gateway's users, as Friday counts them: its calls that fell back are theirs too."""


class Look(Protocol):
    """A look at Prometheus over the window of one gate. None is what it does not know, and never means 0.

    `alive` is a metric that its part shows as long as it is scraped. Every method raises SilentError when Prometheus
    gives no answer.
    """

    @property
    def has_friday(self) -> bool:
        """Return whether Friday has metrics of its own; else the edge has to speak for it."""
        ...

    @property
    def cooldown_seconds(self) -> float:
        """Return how long a model is left out after a failure."""
        ...

    @property
    def baseline(self) -> Look | None:
        """Return the same look where calls without the gateway are looked for, None when nowhere."""
        ...

    def friday_calls(self, *paths: str) -> Calls | None:
        """Return the calls over these paths, as Friday counts them."""
        ...

    def edge_calls(self, proxy: str, *, failed: tuple[str, ...], ignored: tuple[str, ...] = ()) -> Calls | None:
        """Return the edge's answers by their classes of status, such as 5xx."""
        ...

    def durations(self, metric: str, alive: str) -> Distribution | None:
        """Return the durations of a histogram; `metric` names its buckets."""
        ...

    def total(self, metric: str, alive: str) -> float | None:
        """Return how far a counter rose."""
        ...

    def by_label(self, metric: str, label: str, alive: str) -> dict[str, float] | None:
        """Return how far a counter rose, by the values of one of its labels."""
        ...

    def load(self, *metrics: str, alive: str) -> Load | None:
        """Return the requests that these counters count together."""
        ...

    def share_seen(self, *metrics: str) -> float | None:
        """Return the share of the window (0 to 1) in which all of these were scraped."""
        ...

    def share_of_time(self, condition: str) -> float | None:
        """Return the share of the window (0 to 1) in which a condition was 1 and not 0."""
        ...


_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Figure(Generic[_Value]):
    """A number that Prometheus is asked for; `look` asks, over the window of the gate that declares it."""

    name: str
    look: Callable[[Look], _Value | None]

    def of(self, evidence: Evidence) -> _Value | None:
        """Return it as it was measured, None when it was not."""
        found: _Value | None = evidence.figures.get(self.name)
        return found


@dataclass(frozen=True)
class Gate:
    """One gate. What a stack file may say about it is the field of `GatesSettings` with its name, if there is one.

    `watched` gates make a rollout go back when they fail while a new step is watched. One that needs the gateway's
    traffic is skipped at 0 %, where nobody has used the gateway yet.
    """

    name: str
    judge: Callable[[Evidence, GateInput], Verdict]
    figures: tuple[Figure[Any], ...] = ()
    watched: bool = False
    needs_gateway_traffic: bool = False
