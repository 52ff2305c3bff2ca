"""The daily checklist: errors, latency, fallbacks, providers, and what users say."""

from functools import partial

from components.alerting.users import FALLBACK_MAXIMUM
from ops.report.figures import figure, in_percent, in_seconds, rate
from ops.report.known import Known, Measured
from ops.report.model import Check, Feedback, Figure, Level, Unit
from ops.report.questions import STEPS, TOTALS
from ops.report.stretch import NOTHING, SECONDS_OF_DIRECT, SECONDS_OF_GATEWAY, Pair, Stretch, last_day, whole
from ops.rollout.gates import providers
from ops.rollout.gates.gate import count


def daily(known: Known, measured: Measured) -> tuple[Check, ...]:
    """Return the daily checklist, over the last 24 hours of the window."""
    day = last_day(measured)
    return (
        _errors(known, measured, day),
        _latency(known, measured, day),
        _fallbacks(known, measured, day),
        _providers(known, measured),
        _feedback(known, measured),
    )


def _errors(known: Known, measured: Measured, day: Pair) -> Check:
    maximum = known.settings.gates.errors.maximum_percent / 100
    why = measured.rows(STEPS, "calls" if measured.has_friday else "users").why
    figures: tuple[Figure, ...]
    if measured.has_friday:
        figures = (
            figure("error_rate", day, lambda each: rate(each.gateway_calls()), why=why, limit=maximum),
            figure("direct_error_rate", day, lambda each: rate(each.direct_calls()), why=why, limit=maximum),
        )
    else:
        figures = (figure("edge_error_rate", day, lambda each: rate(each.all_calls()), why=why, limit=maximum),)
    calls = figure("calls_by_path", day, _total, why=why, unit=Unit.CALLS, title="Calls", suffix="all")
    worst = max((each.value for each in figures if each.value is not None), default=None)
    said = ", ".join(f"{_who(each)} {in_percent(each.value)}" for each in figures)
    command = f"./fridayctl logs {known.stack} {'litellm' if known.percentage else 'friday'}"
    if worst is None:
        return _unknown("errors", "Error rate", (*figures, calls), known)
    level = Level.ACT if worst > maximum else Level.HEALTHY
    return Check(
        name="errors",
        title="Error rate",
        level=level,
        says=f"{said} of {count(round(calls.value or 0), 'call')}",
        figures=(*figures, calls),
        command=command if level is Level.ACT else "",
    )


def _latency(known: Known, measured: Measured, day: Pair) -> Check:
    settings = known.settings.gates.latency
    paths = [("latency" if measured.has_friday else "gateway_latency", SECONDS_OF_GATEWAY)]
    paths += [("direct_latency", SECONDS_OF_DIRECT)] if measured.has_friday else []
    figures = [
        figure(
            f"{name}_p{share * 100:.0f}",
            day,
            partial(Stretch.quantile, question=question, share=share),
            why=measured.rows(STEPS, question).why,
            limit=target,
        )
        for name, question in paths
        for share, target in settings.targets.items()
    ]
    ours, theirs = figures[:3], figures[3:]
    if all(each.value is None for each in figures):
        return _unknown("latency", "Latency", tuple(figures), known)
    missed = [each for each in ours if each.value is not None and each.value > (each.limit or 0)]
    slower = [each for each in missed if _is_slower(each, theirs, 1 + settings.tolerance_percent / 100)]
    said = "; ".join(
        _percentiles(who, found) for who, found in (("LiteLLM's users", ours), ("direct", theirs)) if found
    )
    if slower:
        said += f". {', '.join(_percentile(each) for each in slower)} above target, and slower than the direct path"
    elif missed:
        said += f". {', '.join(_percentile(each) for each in missed)} above target, as on the direct path"
    return Check(
        name="latency",
        title="Latency",
        level=Level.LOOK if slower else Level.HEALTHY,
        says=said,
        figures=tuple(figures),
        command=f"./fridayctl logs {known.stack} litellm" if slower else "",
    )


def _fallbacks(known: Known, measured: Measured, day: Pair) -> Check:
    maximum = known.settings.gates.fallbacks.maximum_percent / 100
    name = "fallback_rate" if measured.has_friday else "edge_fallback_rate"
    why = measured.rows(STEPS, "calls" if measured.has_friday else "gateway").why
    found = figure(name, day, lambda each: rate(each.fallbacks()), why=why, limit=maximum)
    if found.value is None:
        return _unknown("fallbacks", "Fallback rate", (found,), known)
    level = Level.ACT if found.value > FALLBACK_MAXIMUM else Level.LOOK if found.value > maximum else Level.HEALTHY
    calls = day.now.fallbacks()
    answered = f"{calls.failed:,} of {count(calls.total, 'call')}" if calls else ""
    reasons = measured.rows(TOTALS, "reasons").newest or {}
    because = ", ".join(f"{reason} {number:,.0f}" for (reason,), number in sorted(reasons.items()) if number)
    return Check(
        name="fallbacks",
        title="Fallback rate",
        level=level,
        says=f"{in_percent(found.value)} of LiteLLM's users were answered by the direct path ({answered})"
        + (f"; in the whole window by reason: {because}" if because and found.value else ""),
        figures=(found,),
        command="" if level is Level.HEALTHY else f"./fridayctl logs {known.stack} litellm",
    )


def _providers(known: Known, measured: Measured) -> Check:
    """Return how long models were left out, over the whole window, and whether the account is refused now."""
    pair = whole(measured)
    length = pair.now.window.seconds
    limit = known.settings.gates.providers.maximum_out_percent / 100 * length
    rests = measured.rows(TOTALS, "rests")
    models = sorted({model for model, _ in rests.newest or {}})
    figures = tuple(
        figure(
            "model_rest_seconds",
            pair,
            partial(_out, model=model),
            why=rests.why,
            limit=limit,
            title=f"{model} left out",
            suffix=model,
        )
        for model in models
    )
    evidence = known.judged.evidence if known.judged else None
    refused = providers.refusal(evidence) if evidence else ""
    if refused:
        status = f"./fridayctl status {known.stack}"
        return Check(
            name="providers", title="Providers", level=Level.ACT, says=refused, figures=figures, command=status
        )
    if not rests.known:
        return _unknown("providers", "Providers", figures, known)
    long = [each for each in figures if (each.value or 0) > limit]
    shares = {each.name.partition(".")[2]: (each.value or 0) / length for each in figures}
    said = ", ".join(f"{model} {in_percent(min(1.0, share))} of the time" for model, share in shares.items())
    return Check(
        name="providers",
        title="Providers",
        level=Level.LOOK if long else Level.HEALTHY,
        says=f"left out after failures: {said}" if said else "no model was left out",
        figures=figures,
        command=f"./fridayctl models suggest {known.stack}" if long else "",
    )


def _feedback(known: Known, measured: Measured) -> Check:
    """Return what users said in the whole window: a complaint is to be read; thumbs are the gate's to compare."""
    found, command = measured.feedback, f"./fridayctl feedback {known.stack}"
    if not found:
        says = f"unknown: {measured.unheard}" if measured.unheard else "nobody has rated an answer"
        return Check(name="feedback", title="User feedback", level=Level.UNKNOWN, says=says, command=command)
    complaints = sum(each.complaints for each in found)
    said = "; ".join(_said(each) for each in found if each.up or each.down or each.complaints)
    missing = f" (operators' entries alone: {measured.unheard})" if measured.unheard else ""
    return Check(
        name="feedback",
        title="User feedback",
        level=Level.LOOK if complaints else Level.HEALTHY,
        says=said + missing,
        command=command if complaints else "",
    )


def _said(each: Feedback) -> str:
    said = f"{each.path}: {each.up:,.0f} up, {each.down:,.0f} down, {count(round(each.complaints), 'complaint')}"
    return said if each.answers is None else f"{said} of {count(round(each.answers), 'answer')}"


def _out(each: Stretch, model: str) -> float | None:
    row = each.rows("rests")
    if row is None:
        return None
    return sum(number for (name, _), number in row.items() if name == model)


def _total(each: Stretch) -> float | None:
    calls = each.all_calls()
    return float(calls.total) if calls else None


def _is_slower(ours: Figure, theirs: list[Figure], tolerance: float) -> bool:
    """Return whether one of ours is above the same percentile of the direct path by more than is tolerated."""
    other = next((each.value for each in theirs if each.name == f"direct_{ours.name}"), None)
    return other is None or (ours.value or 0) > other * tolerance


def _percentiles(who: str, found: list[Figure]) -> str:
    return f"{who} " + ", ".join(f"{_percentile(each)} {in_seconds(each.value)}" for each in found)


def _percentile(each: Figure) -> str:
    return each.name.rpartition("_")[2]


def _who(each: Figure) -> str:
    return {"error_rate": "LiteLLM's users", "direct_error_rate": "direct path"}.get(each.name, "all users")


def _unknown(name: str, title: str, figures: tuple[Figure, ...], known: Known) -> Check:
    why = next((each.why for each in figures if each.why), NOTHING)
    quiet = why == NOTHING
    return Check(
        name=name,
        title=title,
        level=Level.UNKNOWN,
        says=f"unknown: {why}",
        figures=figures,
        command="" if quiet else f"./fridayctl status {known.stack}",
    )
