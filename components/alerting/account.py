"""What is wrong with the account at OpenRouter, and with what it pays for: money, quota, refusals, providers."""

from collections.abc import Iterator

from components.alerting.rule import SHARE, WHOLE, Alert, Group, Recording, Watched, any_of, both, but
from indicators import INDICATORS, selectors
from indicators.indicator import percent
from indicators.promql import risen

_MINIMUM_REQUESTS = 10
"""Of fewer in an hour no pace can be told (`ops.rollout.gates.forecast`)."""

_DAY_SECONDS, _HOUR_SECONDS = 86_400, 3_600
_CALLS = "day:openrouter_calls:risen1m"
_DAYS = ("even", "odd")
_TODAY = "stack:openrouter_calls:today"

OUT_MAXIMUM = 0.8
"""The share of five minutes. A model that fails whenever it is asked rests a minute each time, and is asked between."""


def groups(watched: Watched) -> Iterator[Group]:
    """Yield the alerts on the account. Money is looked at most often: there is no small amount of it."""
    yield Group("cost", (_cost(), _refused(), _provider()))
    yield Group("quota", (*_recordings(), *_quota(watched)), interval="1m")


def _cost() -> Alert:
    return Alert(
        name="CostAboveZero",
        severity="critical",
        part="litellm",
        when="an answer within the last hour cost money, as the gateway or Friday read it in its `usage`",
        expression=f"({INDICATORS['spend'].expression('1h')}) > 0",
        summary="money was spent (counted by {{ $labels.source }})",
        description='${{ $value | printf "%.6f" }} in the last hour; it has to be exactly 0',
        command="./fridayctl rollback STACK --level 1",
    )


def _refused() -> Alert:
    return Alert(
        name="AccountRefused",
        severity="warning",
        part="litellm",
        when="OpenRouter refused the gateway's account in the last 5 minutes",
        expression=f"({INDICATORS['account_refused'].expression('5m')}) > 0",
        summary="OpenRouter refuses the account ({{ $labels.reason }})",
        description=f"{WHOLE} calls in the last 5 minutes; what to change is in the runbook",
        command="./fridayctl logs STACK litellm",
    )


def _provider() -> Alert:
    seconds = INDICATORS["model_rest_seconds"].expression("5m")
    return Alert(
        name="ProviderDown",
        severity="warning",
        part="litellm",
        when=f"a model was left out after failures for {percent(OUT_MAXIMUM)} of 5 minutes or more",
        expression=f"(sum by (model) ({seconds})) / 300 >= {OUT_MAXIMUM:g}",
        summary="{{ $labels.model }} does not answer",
        description=f"it was left out for {SHARE} of the last 5 minutes (above 100 %: it asked for a longer wait); "
        "the next model answers in its place",
        command="./fridayctl preflight STACK",
    )


def _recordings() -> Iterator[Recording]:
    """Yield the calls of each minute, marked by whether the UTC day has an even number, and their sum since midnight.

    No expression can look back to midnight. But of the samples of the last 24 hours those with today's mark are
    today's, and the others are yesterday's.
    """
    direct = selectors.calls(*selectors.PAST_THE_GATEWAY)
    calls = " + ".join(f"({risen(each, '1m')} or vector(0))" for each in (selectors.ATTEMPTS, direct))
    for day, mark in enumerate(_DAYS):
        yield Recording(_CALLS, both(calls, _is_day(day)), {"day": mark})
    sums = (both(f'sum(sum_over_time({_CALLS}{{day="{mark}"}}[1d]))', _is_day(day)) for day, mark in enumerate(_DAYS))
    yield Recording(_TODAY, any_of(sums))


def _is_day(remainder: int) -> str:
    return f"floor(vector(time()) / {_DAY_SECONDS}) % 2 == {remainder}"


def _quota(watched: Watched) -> Iterator[Alert]:
    settings = watched.given.settings
    usable, minute, day = (
        settings.gates.quota.usable_percent,
        settings.quota.requests_per_minute,
        settings.quota.requests_per_day,
    )
    named = f"(clamp_max(max({selectors.ACCOUNT_LIMIT}) > 0, {minute}) or vector({minute}))"
    yield Alert(
        name="QuotaMinute",
        severity="warning",
        part="litellm",
        when=f"both paths together make {usable:g} % or more of the account's calls a minute ({minute:,}, or what "
        "OpenRouter named), for 2 minutes",
        expression=f"({INDICATORS['account_calls'].expression('1m')}) / {named} >= {usable / 100:g}",
        lasts="2m",
        summary="the free calls of each minute are nearly used",
        description=f"{SHARE} of the account's calls a minute are made; beyond them users get refusals",
        command="./fridayctl status STACK",
    )
    nearly = f"{_TODAY} / {day} >= {usable / 100:g}"
    yield Alert(
        name="QuotaDay",
        severity="warning",
        part="litellm",
        when=f"{usable:g} % or more of the account's {day:,} calls of the UTC day are used",
        expression=nearly,
        summary="the free calls of today are nearly used",
        description=f"{SHARE} of the account's calls of today are made, by both paths; the next are there at 00:00 UTC",
        command="./fridayctl status STACK",
    )
    left = f"({_DAY_SECONDS} - time() % {_DAY_SECONDS})"
    pace = f"sum(sum_over_time({_CALLS}[1h]))"
    yield Alert(
        name="QuotaForecast",
        severity="warning",
        part="litellm",
        when=f"at the pace of the last hour (at least {_MINIMUM_REQUESTS} calls) the account's {day:,} calls of the "
        "day end before midnight UTC, for 10 minutes; not once they are nearly used",
        expression=but(
            both(f"({_TODAY} + {pace} * {left} / {_HOUR_SECONDS}) / {day} > 1", f"{pace} >= {_MINIMUM_REQUESTS}"),
            nearly,
        ),
        lasts="10m",
        summary="the free calls of today will not last until midnight UTC",
        description=f"at the pace of the last hour {SHARE} of the account's calls of today will be asked for",
        command="./fridayctl status STACK",
    )
