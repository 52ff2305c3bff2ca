"""What a report asks Prometheus: over each step of its window, over the window and the one before, and of now."""

from components.settings.stack import StackSettings
from indicators import INDICATORS, promql, selectors
from ops.report.ask import EDGE, FRIDAY, GATEWAY, Batch, Question, Questions
from ops.report.grid import Grid

_NOW_SECONDS = 60.0
_SWITCH = 'haproxy_server_status{proxy="gateway_switch", state="MAINT"}'

STEPS, STATES, TOTALS, EARLIER, NOW = "steps", "states", "totals", "earlier", "now"
"""The batches; EARLIER is of the window before what STEPS are of this one, TOTALS of both in two steps."""


def batches(settings: StackSettings, seconds: float, now: float, *, has_friday: bool) -> dict[str, Batch]:
    """Return all that is asked for a report over the last `seconds` before epoch second `now`, in five requests."""
    scrape = settings.monitoring.scrape_seconds
    grid = Grid.of(seconds, now, scrape)
    whole = grid.count * grid.step
    users = selectors.CHATS if settings.friday.chat_paths else selectors.USERS
    counted = {**_calls(users, has_friday=has_friday), **_durations(has_friday=has_friday)}
    return {
        STEPS: Batch(counted, grid),
        STATES: Batch(_states(), grid, parts=(GATEWAY, EDGE, *([FRIDAY] if has_friday else []))),
        TOTALS: Batch(_totals(has_friday=has_friday), Grid(now, whole, 2)),
        EARLIER: Batch(counted, Grid(now - whole, whole, 1)),
        NOW: Batch(_now(), Grid(now, max(_NOW_SECONDS, 3 * scrape), 1)),
    }


def _calls(users: str, *, has_friday: bool) -> Questions:
    if has_friday:
        return {"calls": _indicator("calls_by_outcome", FRIDAY)}
    return {name: _answers(frontend) for name, frontend in (("users", users), ("gateway", selectors.INTERNAL))}


def _answers(frontend: str) -> Question:
    return Question(lambda window: promql.counted(selectors.answers(frontend), window, ("code",)), ("code",), EDGE)


def _durations(*, has_friday: bool) -> Questions:
    """Return how long the gateway's users waited, and those of the direct path; without Friday's metrics only what the
    gateway itself measured.
    """
    if not has_friday:
        return {"gateway_seconds": _buckets(selectors.GATEWAY_SECONDS, GATEWAY)}
    return {
        "gateway_seconds": _buckets(selectors.call_seconds(*selectors.GATEWAY_PATHS), FRIDAY),
        "direct_seconds": _buckets(selectors.call_seconds(*selectors.DIRECT_PATH), FRIDAY),
    }


def _buckets(metric: str, part: str) -> Question:
    return Question(lambda window: promql.buckets(metric, window), ("le",), part)


def _states() -> Questions:
    return {
        "breaker": _indicator("breaker_state"),
        "closed": Question(lambda window: f"max(max_over_time({_SWITCH}[{window}]))"),
        "gateway_replicas": Question(lambda window: f"min(min_over_time({selectors.EDGE}[{window}]))"),
        "friday_replicas": Question(lambda window: f"min(min_over_time({selectors.FRIDAY_SERVERS}[{window}]))"),
        "firing": Question(
            lambda window: f'count by (alertname, severity) (count_over_time(ALERTS{{alertstate="firing"}}[{window}]))',
            ("alertname", "severity"),
        ),
    }


def _totals(*, has_friday: bool) -> Questions:
    reasons = {"reasons": _indicator("fallbacks_by_reason", FRIDAY)} if has_friday else {}
    return {
        **reasons,
        "attempts": _indicator("attempts_by_model", GATEWAY),
        "rests": _indicator("model_rest_seconds", GATEWAY),
        "tokens": _indicator("tokens", GATEWAY),
        "cache": _indicator("cache_requests", GATEWAY),
        "spend": _indicator("spend", GATEWAY),
        "refused": _indicator("account_refused", GATEWAY),
    }


def _now() -> Questions:
    return {
        "quota_used": _indicator("quota_used"),
        "closed": _indicator("gateway_closed"),
        "replicas": _indicator("edge_replicas"),
        "breaker": _indicator("breaker_state"),
    }


def _indicator(name: str, part: str = "") -> Question:
    found = INDICATORS[name]
    return Question(found.expression, found.by, part)
