"""The weekly checklist: cost, quota, use, trends, cache."""

import datetime as dt
from functools import partial

from indicators import INDICATORS, selectors
from ops.report.figures import Number, figure, in_percent, in_seconds, rate
from ops.report.grid import Rows, moment
from ops.report.known import Known, Measured
from ops.report.model import Check, Figure, Level, Provider, Unit, Usage, Window
from ops.report.questions import STEPS, TOTALS
from ops.report.stretch import SECONDS_OF_GATEWAY, Pair, Stretch, single, whole
from ops.rollout.gates.evidence import OPENROUTER
from ops.rollout.gates.gate import count

_WORSE = 1.25
"""What grows by more than a quarter is a trend that is named; below 20 calls none is."""
_FEWEST = 20
_HOUR = 3600.0


def weekly(known: Known, measured: Measured) -> tuple[Check, ...]:
    """Return the weekly checklist, over the whole window."""
    pair = whole(measured)
    return (
        _cost(known, measured, pair),
        _use(measured, pair),
        _trends(measured, pair),
        _cache(known, measured, pair),
    )


def usage(measured: Measured) -> Usage:
    """Return how people use it: calls by the hour of the day, and the models that were asked."""
    name = "calls" if measured.has_friday else "users"
    found, is_fine = measured.rows(STEPS, name), measured.grid.step <= _HOUR
    return Usage(
        hours=_hours(measured, found) if found.known and is_fine else (),
        models=_models(whole(measured).now),
        why=found.why or ("" if is_fine else "the window is too long for hours of the day: --since 2w shows them"),
    )


def _hours(measured: Measured, found: Rows) -> tuple[float | None, ...]:
    """Return the calls of the steps that have their middle in each hour of the day, by how many such hours were seen.

    A part of an hour counts as one: ten calls in a new stack's first minute are no six hundred an hour.
    """
    grid, seen = measured.grid, dict[int, list[float]]()
    for end, row in zip(grid.ends, found.steps, strict=True):
        calls = Stretch(grid.window, partial(single, row), measured.has_friday).all_calls()
        if calls is not None:
            seen.setdefault(moment(end - grid.step / 2).hour, []).append(calls.total)
    return tuple(
        sum(seen[hour]) / max(1, len(seen[hour]) * grid.step / _HOUR) if hour in seen else None for hour in range(24)
    )


def _models(now: Stretch) -> tuple[Provider, ...]:
    attempts, rests = now.rows("attempts"), now.rows("rests") or {}
    if attempts is None:
        return ()
    total = sum(attempts.values())
    out: dict[str, dict[str, float]] = {}
    for (model, reason), seconds in rests.items():
        if seconds:
            out.setdefault(model, {})[reason] = seconds
    calls = {model: number for (model,), number in attempts.items()}
    found = [
        Provider(
            model=model,
            calls=calls.get(model, 0.0),
            share=calls.get(model, 0.0) / total if total else None,
            out_seconds=out.get(model, {}),
        )
        for model in sorted({*calls, *out})
    ]
    return tuple(sorted(found, key=lambda each: -(each.calls or 0)))


def _cost(known: Known, measured: Measured, pair: Pair) -> Check:
    """Judge the dollars of each source, and those that OpenRouter itself booked on the keys: exactly 0 or act."""
    why = measured.rows(TOTALS, "spend").why
    sources = ("gateway", "friday") if measured.has_friday else ("gateway",)
    figures = [
        figure(
            "spend",
            pair,
            partial(_labelled, name="spend", label=source),
            why=why,
            limit=0.0,
            suffix=source,
            title=f"{INDICATORS['spend'].title}, as {source} read it",
        )
        for source in sources
    ]
    evidence = known.judged.evidence if known.judged else None
    booked = evidence.key_usage if evidence else None
    if evidence:
        figures.append(
            Figure(
                name="spend.openrouter",
                title="Booked by OpenRouter on the keys",
                unit=Unit.DOLLARS,
                window=_since(known, evidence.windows.get("cost", 0.0)),
                value=booked,
                limit=0.0,
                source="OpenRouter",
                why="" if booked is not None else evidence.silent.get(OPENROUTER, "it does not say it"),
            )
        )
    spent = [each for each in figures if each.value]
    unknown = [each for each in figures if each.value is None]
    if spent:
        said = ", ".join(f"{each.name.partition('.')[2]} ${each.value:.6f}" for each in spent)
        command = f"./fridayctl rollback {known.stack}"
        return Check(name="cost", title="Cost", level=Level.ACT, says=said, figures=tuple(figures), command=command)
    known_ones = count(len(figures) - len(unknown), "source")
    said = f"$0 by {known_ones}" + "".join(f"; {each.title}: unknown ({each.why})" for each in unknown)
    level = Level.UNKNOWN if unknown else Level.HEALTHY
    command = f"./fridayctl preflight {known.stack}" if unknown else ""
    return Check(name="cost", title="Cost", level=level, says=said, figures=tuple(figures), command=command)


def _use(measured: Measured, pair: Pair) -> Check:
    calls = figure("calls_by_path", pair, _calls, why=_why(measured), unit=Unit.CALLS, title="Calls", suffix="all")
    why = measured.rows(TOTALS, "tokens").why
    tokens = [
        figure(
            "tokens",
            pair,
            partial(_labelled, name="tokens", label=kind),
            why=why,
            unit=Unit.TOKENS,
            suffix=kind,
            title=f"{INDICATORS['tokens'].title}, {kind}",
        )
        for kind in ("prompt", "completion")
    ]
    attempts = figure(
        "gateway_calls",
        pair,
        partial(_summed, name="attempts"),
        why=measured.rows(TOTALS, "attempts").why,
        unit=Unit.REQUESTS,
    )
    if calls.value is None:
        return Check(name="usage", title="Usage", level=Level.UNKNOWN, says=f"unknown: {calls.why}", figures=(calls,))
    most = next(iter(_models(pair.now)), None)
    said = count(round(calls.value), "call")
    if most and most.share:
        said += f"; {most.model} was asked most: {in_percent(most.share)} of {attempts.value:,.0f} requests"
    return Check(name="usage", title="Usage", level=Level.HEALTHY, says=said, figures=(calls, attempts, *tokens))


def _trends(measured: Measured, pair: Pair) -> Check:
    """Hold the window against the one before: what has become worse by more than a quarter is named."""
    why = _why(measured)
    friday = measured.has_friday
    rates: tuple[tuple[str, Number], ...] = (
        ("error_rate" if friday else "edge_error_rate", _errors),
        ("fallback_rate" if friday else "edge_fallback_rate", lambda each: rate(each.fallbacks())),
        ("latency_p95" if friday else "gateway_latency_p95", _p95),
    )
    figures = tuple(figure(name, pair, number, why=why) for name, number in rates)
    compared = [each for each in figures if each.value is not None and each.before is not None]
    if not compared:
        said = "there is nothing to compare: no figures of this window, or of the one before"
        return Check(name="trends", title="Trends", level=Level.UNKNOWN, says=said, figures=figures)
    enough = min(_calls(each) or 0 for each in (pair.now, pair.before) if each) >= _FEWEST
    worse = [each for each in compared if enough and (each.value or 0) > (each.before or 0) * _WORSE]
    said = "; ".join(
        f"{each.title} {_shown(each, each.value)}, before {_shown(each, each.before)}" for each in compared
    )
    return Check(
        name="trends",
        title="Trends",
        level=Level.LOOK if worse else Level.HEALTHY,
        says=said + (f". Worse: {', '.join(each.title for each in worse)}" if worse else ""),
        figures=figures,
    )


def _cache(known: Known, measured: Measured, pair: Pair) -> Check:
    why = measured.rows(TOTALS, "cache").why
    hits = figure("cache_hit_rate", pair, _hit_rate, why=why)
    asked = figure("cache_requests", pair, partial(_summed, name="cache"), why=why, unit=Unit.REQUESTS)
    figures = (hits, asked)
    if not known.settings.router.cache_ttl_seconds:
        says = "the cache is off (router.cacheTtlSeconds)"
        return Check(name="cache", title="Cache", level=Level.HEALTHY, says=says, figures=figures)
    if asked.value is None:
        return Check(name="cache", title="Cache", level=Level.UNKNOWN, says=f"unknown: {asked.why}", figures=figures)
    said = (
        "no cacheable request came" if not asked.value else f"{in_percent(hits.value)} of {asked.value:,.0f} requests"
    )
    return Check(name="cache", title="Cache", level=Level.HEALTHY, says=said, figures=figures)


def _errors(each: Stretch) -> float | None:
    return rate(each.gateway_calls() if each.has_friday else each.all_calls())


def _p95(each: Stretch) -> float | None:
    return each.quantile(SECONDS_OF_GATEWAY, 0.95)


def _calls(each: Stretch) -> float | None:
    calls = each.all_calls()
    return float(calls.total) if calls else None


def _labelled(each: Stretch, name: str, label: str) -> float | None:
    row = each.rows(name)
    return None if row is None else row.get((label,), 0.0)


def _summed(each: Stretch, name: str) -> float | None:
    row = each.rows(name)
    return None if row is None else sum(row.values())


def _hit_rate(each: Stretch) -> float | None:
    row = each.rows("cache")
    total = sum(row.values()) if row else 0.0
    return sum((row or {}).get((source,), 0.0) for source in selectors.CACHED) / total if total else None


def _why(measured: Measured) -> str:
    return measured.rows(STEPS, "calls" if measured.has_friday else "users").why


def _shown(each: Figure, number: float | None) -> str:
    return in_seconds(number) if each.unit is Unit.SECONDS else in_percent(number)


def _since(known: Known, seconds: float) -> Window:
    return Window(began=known.now - dt.timedelta(seconds=seconds), ended=known.now)
