"""The service level objective: 99.9 % of users' calls are answered, and how fast the rest is used up.

Windows and burn rates are those of the Site Reliability Workbook (Google, chapter 5, "Alerting on SLOs", table 5-8 and
the approach with several windows): 2 % of 30 days' budget in an hour and 5 % in six page, 10 % in one day or in three
wait for the day. The short window says that it is still going on.
"""

from collections.abc import Iterator

from components.alerting.rule import SHARE, Alert, Group, Recording, Severity, Watched, any_of, both
from components.alerting.users import WITHOUT_FRIDAY
from indicators import selectors
from indicators.indicator import percent
from indicators.promql import risen

OBJECTIVE = 0.999

BURNS: tuple[tuple[str, str, float, Severity], ...] = (
    ("1h", "5m", 14.4, "critical"),
    ("6h", "30m", 6, "critical"),
    ("1d", "2h", 3, "warning"),
    ("3d", "6h", 1, "warning"),
)
"""The long and the short window, how many times faster than allowed the budget is used, and how bad that is."""

LEAST_FAILED = 5
"""Failed calls. With few users one failure alone would use the budget of hours, and it is no reason to wake anybody."""

_CALLS, _FAILED = "stack:calls:risen1m", "stack:calls_failed:risen1m"


def groups(watched: Watched) -> Iterator[Group]:
    """Yield what is counted each minute, and the alerts; three days of a counter itself would be too much to read."""
    yield Group("error-budget", (*_recordings(watched), *(_alert(watched, *each) for each in BURNS)), interval="1m")


def _recordings(watched: Watched) -> Iterator[Recording]:
    everybody = (*selectors.GATEWAY_PATHS, *selectors.DIRECT_PATH)
    frontend = watched.users
    for name, friday, edge in (
        (_CALLS, selectors.judged(*everybody), selectors.answers(frontend, 'code!="4xx"')),
        (_FAILED, selectors.failed(*everybody), selectors.answers(frontend, 'code="5xx"')),
    ):
        sources = [risen(friday, "1m")] if watched.may_have_friday else []
        if not watched.is_reference:
            sources.append(f"({risen(edge, '1m')}) unless on () {WITHOUT_FRIDAY}")
        yield Recording(name, any_of(sources) if len(sources) > 1 else sources[0])


def _alert(watched: Watched, long: str, short: str, rate: float, severity: Severity) -> Alert:
    most = rate * (1 - OBJECTIVE)
    failed, calls = (f"sum_over_time({name}[{long}])" for name in (_FAILED, _CALLS))
    burning = (f"sum_over_time({_FAILED}[{window}]) / sum_over_time({_CALLS}[{window}])" for window in (long, short))
    over = (f"{share} > {most:.4g}" for share in burning)
    return Alert(
        name="ErrorBudgetBurns",
        severity=severity,
        part="friday",
        when=f"more than {percent(most)} of all users' calls in {long} failed, and in {short} too ({rate:g} times what "
        f"an objective of {percent(OBJECTIVE)} allows); at least {LEAST_FAILED} failed of {watched.least_calls}",
        expression=both(*over, f"{failed} >= {LEAST_FAILED}", f"{calls} >= {watched.least_calls}"),
        summary=f"the error budget of 30 days is used {rate:g} times too fast",
        description=f"{SHARE} of all users' calls in the last {long} failed, {percent(1 - OBJECTIVE)} may",
        command="./fridayctl status STACK",
        labels={"window": long},
    )
