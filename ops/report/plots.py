"""The plots: what each path's users had, in each step of the window. A step without figures is a gap, never 0."""

from functools import partial

from indicators import INDICATORS
from ops.report.figures import Number, rate
from ops.report.known import Known, Measured
from ops.report.model import Line, Series, Unit
from ops.report.questions import STEPS
from ops.report.stretch import NOTHING, SECONDS_OF_DIRECT, SECONDS_OF_GATEWAY, Stretch, calls_over, single
from ops.rollout.gates.evidence import Calls


def plots(known: Known, measured: Measured) -> tuple[Series, ...]:
    """Return the plots, all over the whole window."""
    return (_calls(measured), _errors(known, measured), *_latency(known, measured), _fallbacks(known, measured))


def _calls(measured: Measured) -> Series:
    lines: tuple[Line, ...]
    if measured.has_friday:
        lines = tuple(
            _line(measured, "calls", path, partial(_over, path)) for path in ("litellm", "fallback", "direct")
        )
    else:
        lines = (
            _line(measured, "users", "users", lambda each: _total(each.all_calls())),
            _line(measured, "gateway", "gateway", lambda each: _total(each.fallbacks())),
        )
    return _series(measured, "calls", "Calls", Unit.CALLS, lines)


def _errors(known: Known, measured: Measured) -> Series:
    lines: tuple[Line, ...]
    if measured.has_friday:
        lines = (
            _line(measured, "calls", "gateway", lambda each: rate(each.gateway_calls())),
            _line(measured, "calls", "direct", lambda each: rate(each.direct_calls())),
        )
    else:
        lines = (_line(measured, "users", "users", lambda each: rate(each.all_calls())),)
    maximum = known.settings.gates.errors.maximum_percent / 100
    return _series(measured, "error_rate", "Error rate", Unit.SHARE, lines, maximum)


def _fallbacks(known: Known, measured: Measured) -> Series:
    question = "calls" if measured.has_friday else "gateway"
    lines = (_line(measured, question, "gateway", lambda each: rate(each.fallbacks())),)
    maximum = known.settings.gates.fallbacks.maximum_percent / 100
    return _series(measured, "fallback_rate", INDICATORS["fallback_rate"].title, Unit.SHARE, lines, maximum)


def _latency(known: Known, measured: Measured) -> list[Series]:
    paths = [("gateway", SECONDS_OF_GATEWAY)] + ([("direct", SECONDS_OF_DIRECT)] if measured.has_friday else [])
    found = []
    for share, target in known.settings.gates.latency.targets.items():
        lines = tuple(
            _line(measured, question, path, partial(Stretch.quantile, question=question, share=share))
            for path, question in paths
        )
        name = f"p{share * 100:.0f}"
        found.append(_series(measured, f"latency_{name}", f"Latency {name}", Unit.SECONDS, lines, target))
    return found


def _over(path: str, each: Stretch) -> float | None:
    row = each.rows("calls")
    return None if row is None else float(calls_over(row, path).total)


def _total(calls: Calls | None) -> float | None:
    return None if calls is None else float(calls.total)


def _line(measured: Measured, question: str, name: str, number: Number) -> Line:
    """Return what a number is in each step by itself."""
    steps = measured.rows(STEPS, question).steps
    window, friday = measured.grid.window, measured.has_friday
    return Line(name=name, values=tuple(number(Stretch(window, partial(single, row), friday)) for row in steps))


def _series(
    measured: Measured, name: str, title: str, unit: Unit, lines: tuple[Line, ...], limit: float | None = None
) -> Series:
    why = next((found.why for found in measured.answers.get(STEPS, {}).values() if found.why), measured.silent)
    empty = all(value is None for line in lines for value in line.values)
    return Series(
        name=name,
        title=title,
        unit=unit,
        began=measured.grid.window.began,
        step_seconds=measured.grid.step,
        lines=lines,
        limit=limit,
        why=(why or NOTHING) if empty else "",
    )
