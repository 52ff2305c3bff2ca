"""What the dashboards show, and where: which indicators, in which panels, of which stacks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from components import redis
from components.settings.stack import StackSettings

Joins = Callable[[StackSettings], bool]


def has_friday(settings: StackSettings) -> bool:
    """Return whether Friday has metrics of its own; else the edge and the gateway speak for it."""
    return settings.friday.image is None or settings.friday.metrics_path is not None


def _without_friday(settings: StackSettings) -> bool:
    return not has_friday(settings)


def _has_chats(settings: StackSettings) -> bool:
    return bool(settings.friday.chat_paths) and not has_friday(settings)


def _caches(settings: StackSettings) -> bool:
    return settings.router.cache_ttl_seconds > 0


def _always(_: StackSettings) -> bool:
    return True


@dataclass(frozen=True)
class Shown:
    """One panel: its indicators, all of one unit. `joins` says which stacks have it, `width` how wide it is of 24."""

    title: str
    indicators: tuple[str, ...]
    kind: Literal["timeseries", "stat"] = "timeseries"
    joins: Joins = _always
    width: int = 12


@dataclass(frozen=True)
class Section:
    """Panels below one heading."""

    title: str
    panels: tuple[Shown, ...]


@dataclass(frozen=True)
class Page:
    """One dashboard."""

    name: str
    title: str
    says: str
    sections: tuple[Section, ...]


def _stat(title: str, indicator: str, joins: Joins = _always, width: int = 4) -> Shown:
    return Shown(title, (indicator,), "stat", joins, width)


_NOW = Section(
    "At a glance, over the time range that is shown",
    (
        _stat("Rollout percentage", "rollout_percentage", has_friday),
        _stat("Alerts that fire", "alerts_firing"),
        _stat("Errors of LiteLLM's users", "error_rate", has_friday),
        _stat("Errors of the direct path", "direct_error_rate", has_friday),
        _stat("Errors of all users", "all_error_rate", has_friday),
        _stat("Errors at the edge", "edge_error_rate", _without_friday),
        _stat("Errors of chats at the edge", "edge_chats_error_rate", _has_chats),
        _stat("Fallbacks", "fallback_rate", has_friday),
        _stat("Calls that the gateway failed", "edge_fallback_rate", _without_friday),
        _stat("Money spent", "spend"),
        _stat("Minute's quota used", "quota_used"),
        _stat("Calls to OpenRouter", "account_calls"),
        _stat("Time with a gateway", "gateway_up"),
        _stat("Time with a Friday", "friday_up"),
    ),
)
_USERS = Section(
    "Users",
    (
        Shown("Calls by path", ("calls_by_path",), joins=has_friday),
        Shown("Calls by outcome", ("calls_by_outcome",), joins=has_friday),
        Shown("Error rates", ("error_rate", "direct_error_rate", "all_error_rate"), joins=has_friday),
        Shown("Error rate at the edge", ("edge_error_rate",), joins=_without_friday),
        Shown("Fallback rate", ("fallback_rate",), joins=has_friday),
        Shown("Calls that the gateway failed", ("edge_fallback_rate",), joins=_without_friday),
        Shown("Fallbacks by reason", ("fallbacks_by_reason",), joins=has_friday),
        Shown("Failed attempts", ("failed_attempts",), joins=has_friday),
    ),
)
_SAID = Section(
    "What users say",
    (
        Shown("Bad ratings for each answer", ("complaint_rate", "direct_complaint_rate"), joins=has_friday),
        Shown("Ratings by path", ("feedback",), joins=has_friday),
    ),
)
_WAITS = Section(
    "How long users wait",
    (
        Shown("Median", ("latency_p50", "direct_latency_p50"), joins=has_friday, width=8),
        Shown("95 of 100 wait less", ("latency_p95", "direct_latency_p95"), joins=has_friday, width=8),
        Shown("99 of 100 wait less", ("latency_p99", "direct_latency_p99"), joins=has_friday, width=8),
        Shown("Calls of more than 10 s", ("slow_calls",), joins=has_friday, width=8),
        Shown("Time to the first text, p95", ("first_token_p95",), joins=has_friday, width=8),
        Shown("Calls in flight", ("calls_in_flight",), joins=has_friday, width=8),
    ),
)
_CHATS = Section(
    "Chats in the gateway",
    (
        Shown("Chats by status", ("gateway_chats_by_status",)),
        Shown("Error rate and fallbacks between models", ("gateway_error_rate", "model_fallback_rate")),
        Shown("Time of the gateway", ("gateway_latency_p50", "gateway_latency_p95", "gateway_latency_p99")),
        Shown("Time that the gateway adds, p50", ("overhead_p50",)),
        Shown("In flight and waiting", ("gateway_in_flight", "gateway_queued")),
        Shown("Refused before a model was called", ("refused_requests",)),
    ),
)
_QUOTA = Section(
    "OpenRouter's limits",
    (
        Shown("Minute's quota used", ("quota_used",)),
        Shown("Calls to OpenRouter", ("gateway_calls", "direct_calls"), joins=has_friday),
        Shown("Calls of the gateway to OpenRouter", ("gateway_calls",), joins=_without_friday),
        Shown("Busiest minute, and the account's limit", ("busiest_minute", "account_limit")),
        Shown("Refused for the quota", ("quota_refused",)),
        Shown("Replicas count together", ("quota_shared",)),
        Shown("Account refused", ("account_refused",)),
        Shown("Money spent", ("spend",)),
    ),
)
_MODELS = Section(
    "Models",
    (
        Shown("Seconds that models were left out", ("model_rest_seconds",)),
        Shown("Calls by model", ("attempts_by_model",)),
        Shown("Answered by a later model than the first", ("answered_by_a_later_model",)),
        Shown("Tokens", ("tokens",)),
    ),
)
_CACHE = Section(
    "Cache of answers",
    (
        Shown("Cacheable requests by source", ("cache_requests",), joins=_caches),
        Shown("Hit rate", ("cache_hit_rate",), joins=_caches),
        Shown("Answers kept", ("cache_stored",), joins=_caches),
        Shown("Not kept, by reason", ("cache_skipped",), joins=_caches),
    ),
)
_REPLICAS = Section(
    "Replicas",
    (
        Shown("Replicas that serve, as the edge sees them", ("edge_replicas",)),
        Shown("Share of time with a replica", ("gateway_up", "friday_up")),
        Shown("Replicas that answer Prometheus", ("replicas_up",)),
        Shown("Replicas without metrics", ("replicas_silent",)),
        Shown("Seen by Prometheus", ("prometheus_coverage",)),
        Shown("Rollout percentage", ("rollout_percentage",), joins=has_friday),
        Shown("Friday's breaker: 0 closed, 1 half open, 2 open", ("breaker_state",), joins=has_friday),
        Shown("Gateway closed at the edge", ("gateway_closed",)),
    ),
)
_EDGE = Section(
    "Edge and Redis",
    (
        Shown("Answers to users by class", ("edge_answers",)),
        Shown("Errors of the edge itself", ("edge_own_errors",)),
        Shown("Friday's answers by status", ("http_requests",), joins=has_friday),
        Shown("Redis answers", ("redis_up",), joins=redis.joins),
        Shown("Redis' memory", ("redis_memory",), joins=redis.joins),
    ),
)
PAGES = (
    Page("rollout", "Rollout", "Both paths side by side, with the gates' thresholds.", (_NOW, _USERS, _WAITS, _SAID)),
    Page("gateway", "Gateway", "LiteLLM: chats, quota, models, cache.", (_CHATS, _QUOTA, _MODELS, _CACHE)),
    Page("parts", "Parts", "Replicas, edge, Redis, and what Prometheus has seen.", (_REPLICAS, _EDGE)),
)
"""The dashboards. A panel without data in a sound stack would be no panel: `joins` leaves it out."""
