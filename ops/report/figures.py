"""Makes the figures of a report: a number over a stretch, the same over the one before, and why it is not known."""

from collections.abc import Callable

from indicators import INDICATORS
from indicators.indicator import percent
from ops.report.model import Figure, Unit
from ops.report.stretch import NOTHING, Pair, Stretch
from ops.rollout.gates.evidence import Calls

_UNITS = {"ratio": Unit.SHARE, "seconds": Unit.SECONDS, "dollars": Unit.DOLLARS}

Number = Callable[[Stretch], float | None]


def figure(
    name: str,
    pair: Pair,
    number: Number,
    *,
    why: str,
    unit: Unit | None = None,
    limit: float | None = None,
    **more: str,
) -> Figure:
    """Return a figure by the name of its indicator; `why` is said when it is not known.

    `title` and `suffix` (the path, say) may be given: an indicator counts several things then.
    """
    indicator = INDICATORS[name]
    suffix = more.get("suffix", "")
    value = number(pair.now)
    return Figure(
        name=f"{name}.{suffix}" if suffix else name,
        title=more.get("title", indicator.title),
        unit=unit or _UNITS[indicator.unit],
        window=pair.now.window,
        value=value,
        before=number(pair.before) if pair.before else None,
        limit=limit,
        why="" if value is not None else why or NOTHING,
    )


def rate(calls: Calls | None) -> float | None:
    """Return the share that failed; None when there was no call: a rate of nothing is not 0."""
    return calls.rate if calls and calls.total else None


def in_percent(share: float | None) -> str:
    """Return a share as people read it; "unknown" when it is."""
    return "unknown" if share is None else percent(share)


def in_seconds(seconds: float | None) -> str:
    """Return a duration as people read it; "unknown" when it is."""
    return "unknown" if seconds is None else f"{seconds:.2f} s"
