"""What users notice: errors, calls that the gateway leaves to the direct path, and waits. These page."""

from collections.abc import Iterator

from components.alerting.rule import SHARE, Alert, Group, Watched, both, but
from components.settings.rollout import LatencyGate
from indicators import INDICATORS, selectors
from indicators.indicator import percent
from indicators.latency import SLOW_SECONDS
from indicators.promql import counted

WINDOW = "5m"
LONG_WINDOW = "15m"
"""For percentiles, which take more calls."""

FALLBACK_MAXIMUM = 0.5
"""The share of fallbacks above which the gateway is of no use to its users: the migration plan's own line."""

SLOW_MAXIMUM = 0.1
"""The share of calls of more than SLOW_SECONDS: one in ten."""

WITHOUT_FRIDAY = f"count({selectors.FRIDAY})"
"""There while Friday's own metrics are: then the edge need not speak for it."""

CLOSED = f"max_over_time(({INDICATORS['gateway_closed'].expression('')})[{WINDOW}:]) == 1"
GONE = f"min_over_time((min({selectors.EDGE}))[{WINDOW}:]) == 0"
"""The gateway was closed, or away: that has an alert of its own, and what follows from it needs no other."""


def groups(watched: Watched) -> Iterator[Group]:
    """Yield the alerts of what users notice."""
    friday = (*_errors(watched), *_fallbacks(watched), *_slow(watched)) if watched.may_have_friday else ()
    edge = () if watched.is_reference else (*_errors_at_the_edge(watched), *_fallbacks_at_the_edge(watched))
    yield Group("users", (*friday, *edge))
    yield Group("latency", tuple(_latency(watched)), interval="1m")


def _errors(watched: Watched) -> Iterator[Alert]:
    for users, indicator, paths, part, command in (
        ("gateway", "error_rate", selectors.GATEWAY_PATHS, "litellm", "./fridayctl rollback STACK --level 1"),
        ("direct", "direct_error_rate", selectors.DIRECT_PATH, "friday", "./fridayctl logs STACK friday"),
    ):
        yield _error_rate(watched, users, indicator, selectors.judged(*paths), part, command)


def _errors_at_the_edge(watched: Watched) -> Iterator[Alert]:
    chats = watched.users == selectors.CHATS
    indicator = "edge_chats_error_rate" if chats else "edge_error_rate"
    answers = selectors.answers(watched.users, 'code!="4xx"')
    command = "./fridayctl logs STACK friday"
    yield _error_rate(watched, "all", indicator, answers, "friday", command, unless=WITHOUT_FRIDAY)


def _error_rate(
    watched: Watched, users: str, indicator: str, calls: str, part: str, command: str, *, unless: str = ""
) -> Alert:
    maximum, least = watched.given.settings.gates.errors.maximum_percent, watched.least_calls
    failing = both(
        f"{INDICATORS[indicator].expression(WINDOW)} > {maximum / 100:g}", f"{counted(calls, WINDOW)} >= {least}"
    )
    whose = {"gateway": "LiteLLM's users", "direct": "the direct path's users", "all": "all users"}[users]
    return Alert(
        name="ErrorRateHigh",
        severity="critical",
        part=part,
        when=f"more than {maximum:g} % of at least {least} calls of {whose} in {WINDOW} failed",
        expression=but(failing, unless) if unless else failing,
        summary=f"calls of {whose} fail",
        description=f"{SHARE} of the calls in the last {WINDOW} failed, at most {maximum:g} % may",
        command=command,
        labels={"users": users},
    )


def _fallbacks(watched: Watched) -> Iterator[Alert]:
    yield _fallback_rate(watched, "friday", "fallback_rate", selectors.judged(*selectors.GATEWAY_PATHS))


def _fallbacks_at_the_edge(watched: Watched) -> Iterator[Alert]:
    calls = selectors.answers(selectors.INTERNAL)
    yield _fallback_rate(watched, "edge", "edge_fallback_rate", calls, WITHOUT_FRIDAY)


def _fallback_rate(watched: Watched, counted_by: str, indicator: str, calls: str, *exceptions: str) -> Alert:
    least = watched.least_calls
    falling = both(
        f"{INDICATORS[indicator].expression(WINDOW)} > {FALLBACK_MAXIMUM:g}", f"{counted(calls, WINDOW)} >= {least}"
    )
    return Alert(
        name="FallbackRateHigh",
        severity="critical",
        part="litellm",
        when=f"more than {percent(FALLBACK_MAXIMUM)} of at least {least} calls of LiteLLM's users in {WINDOW} were "
        "left to the direct path; not while the gateway is away or closed",
        expression=but(falling, GONE, CLOSED, *exceptions),
        summary="the gateway leaves most of its users to the direct path",
        description=f"{SHARE} of the calls of LiteLLM's users in the last {WINDOW} fell back: they waited longer",
        command="./fridayctl rollback STACK --level 1",
        labels={"counted_by": counted_by},
    )


def _slow(watched: Watched) -> Iterator[Alert]:
    # A team whose own target is as long has decided that such waits are right.
    if watched.given.settings.gates.latency.p95_seconds >= SLOW_SECONDS:
        return
    least = watched.least_calls
    enough = f"{counted('friday_llm_latency_seconds_count', WINDOW, ('path',))} >= {least}"
    slow = f"({INDICATORS['slow_calls'].expression(WINDOW)} > {SLOW_MAXIMUM:g})"
    yield Alert(
        name="ResponsesSlow",
        severity="critical",
        part="friday",
        when=f"more than {percent(SLOW_MAXIMUM)} of at least {least} calls of a path in {WINDOW} took longer than "
        f"{SLOW_SECONDS} s; left out where gates.latency.p95Seconds is that long",
        expression=f"{slow} and on (path) ({enough})",
        lasts="30s",
        summary="users wait longer than 10 s (path {{ $labels.path }})",
        description=f"{SHARE} of the calls in the last {WINDOW} took longer than {SLOW_SECONDS} s",
        command="./fridayctl status STACK",
    )


def _latency(watched: Watched) -> Iterator[Alert]:
    """Yield the alerts on the targets, judged as the gate `latency` does: no slower than the direct path is no news."""
    gate = watched.given.settings.gates.latency
    if watched.may_have_friday:
        calls = f'friday_llm_latency_seconds_count{{path=~"{"|".join(selectors.GATEWAY_PATHS)}"}}'
        yield from (_percentile(watched, gate, each, "latency", calls, "direct_latency") for each in gate.targets)
    if not watched.is_reference:
        calls = "gateway_chat_seconds_count"
        yield from (_percentile(watched, gate, each, "gateway_latency", calls) for each in gate.targets)


def _percentile(
    watched: Watched, gate: LatencyGate, share: float, indicator: str, calls: str, compared: str = ""
) -> Alert:
    name, target = f"p{share * 100:.0f}", gate.targets[share]
    # A percentile is judged once a call beyond it may be expected.
    least = max(watched.least_calls, round(1 / (1 - share)))
    ours = INDICATORS[f"{indicator}_{name}"].expression(LONG_WINDOW)
    over = both(f"{ours} > {target:g}", f"{counted(calls, LONG_WINDOW)} >= {least}")
    except_for = WITHOUT_FRIDAY
    words = ""
    if compared:
        direct = INDICATORS[f"{compared}_{name}"].expression(LONG_WINDOW)
        except_for = f"{ours} <= {1 + gate.tolerance_percent / 100:g} * {direct}"
        words = f" and more than {gate.tolerance_percent:g} % above the direct path's"
    return Alert(
        name="LatencyHigh",
        severity="warning",
        part="litellm",
        when=f"{name} of at least {least} calls in {LONG_WINDOW} is above gates.latency.{name}Seconds "
        f"({target:g} s){words}",
        expression=but(over, except_for),
        lasts="5m",
        summary=f"LiteLLM's users wait longer than the target ({name})",
        description=f"{name} is {{{{ $value | humanizeDuration }}}} over the last {LONG_WINDOW}, "
        f"the target is {target:g} s{words}",
        command="./fridayctl logs STACK litellm",
        labels={"quantile": name, "counted_by": "friday" if compared else "gateway"},
    )
