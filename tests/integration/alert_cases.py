"""The alerts, case by case: what is wrong, and which of them fire then. All of them are named, and no other fires."""

from typing import Any

from tests.integration.alert_world import (
    ACCOUNT,
    ATTEMPTS,
    BREAKER,
    CHATS,
    COST,
    OWN,
    PERCENTAGE,
    REFUSED,
    SHARED,
    SPEND,
    SWITCH,
    UNDELIVERED,
    USED,
    Case,
    Series,
    answers,
    each_minute,
    requests,
    rests,
    servers,
    took,
    up,
    waits,
)
from tests.unit.rendered_rules import OWN_IMAGE


def a_day(requests_per_day: int) -> dict[str, Any]:
    """Return settings with another limit of the day."""
    return {"quota": {"requestsPerMinute": 100, "requestsPerDay": requests_per_day}}


QUOTA = ("quota",)
NIGHT: Series = {ATTEMPTS: "0+10x1430 14300+0xN", requests("direct"): "0+10x1430 14300+0xN"}
"""The last calls come before midnight."""

SWARM = {"engine": "swarm", "swarmHosts": ["ssh://ops@host-2"]}

FAILS_AT_10 = "0+0x10 2+2xN"
"""A counter whose first event comes in the eleventh minute: it is not missed, and it is no increase."""

PARTS = (
    Case("all is well", 60),
    Case("nothing has been scraped yet", 0, world={}),
    Case("the edge is gone", 5, ("critical EdgeDown",), {up("edge", "e1"): "1+0x2 stale"}),
    Case("the edge does not answer", 5, ("critical EdgeDown",), {up("edge", "e1"): "1+0x2 0+0xN"}),
    Case("the edge was replaced", 5, (), {up("edge", "e1"): "1+0x2 stale", up("edge", "e2"): "_x2 1+0xN"}),
    Case("no Friday is healthy", 1, ("critical FridayDown",), {servers("friday"): "0+0xN"}),
    Case(
        "no Friday has been healthy for longer",
        5,
        ("critical FridayDown", "warning ReplicaDown"),
        {servers("friday"): "0+0xN"},
    ),
    Case("one Friday of two is down", 5, ("warning ReplicaDown",), {servers("friday"): "1+0xN"}),
    Case("one Friday of two is away for a moment", 5, (), {servers("friday"): "2+0x3 1 2+0xN"}),
    Case("the replicas of Friday are exchanged", 5, (), {servers("friday"): "2+0x2 4 3 2+0xN"}),
    Case("one of the Swarm's edges is gone", 5, ("warning ReplicaDown",), {}, SWARM),
    Case("all of the Swarm's edges are there", 5, (), {up("edge", "e2"): each_minute(0, 1)}, SWARM),
    Case("no gateway is healthy", 1, ("critical GatewayDown",), {servers("litellm"): "0+0xN"}),
    Case(
        "no gateway is healthy, and nobody uses it",
        5,
        ("warning ReplicaDown",),
        {servers("litellm"): "0+0xN", PERCENTAGE % "f1": "0+0xN", PERCENTAGE % "f2": "0+0xN"},
    ),
    Case("one gateway of two is down", 5, ("warning ReplicaDown",), {servers("litellm"): "1+0xN"}),
    Case("no gateway is declared", 5, (), {servers("litellm"): "0+0xN"}, {"litellm": {"replicas": 0}}),
    Case("the breaker is open", 5, ("warning BreakerOpen",), {BREAKER: "2+0xN"}),
    Case("the breaker was open", 5, (), {BREAKER: "0 2 0+0xN"}),
    Case("the breaker tries again now and then", 6, ("warning BreakerOpen",), {BREAKER: "2 2 1 2 1 2 2 2"}),
    Case("the gateway is closed", 15, ("warning GatewayClosed",), {SWITCH: "1+0xN"}),
    Case("the gateway is closed while a rollback runs", 15, (), {SWITCH: "0+0x10 1 1 0+0xN"}),
    Case("an update was not finished", 12, ("warning PercentagesDiffer",), {PERCENTAGE % "f2": "10+0xN"}),
    Case("an update is under way", 12, (), {PERCENTAGE % "f2": "50+0x8 10+0xN"}),
    Case("Redis is down", 5, ("warning RedisDown",), {'redis_up{job="redis"}': "0+0xN"}),
    Case("a gateway does not reach Redis", 5, ("warning RedisDown",), {SHARED: "0+0xN"}),
    Case("Redis was away for a moment", 8, (), {'redis_up{job="redis"}': "1+0x3 0 1+0xN", SHARED: "1+0x3 0 1+0xN"}),
    Case("Redis is full", 12, ("warning RedisFull",), {USED: "95+0xN"}),
    Case("Redis was full", 12, (), {USED: "95+0x5 10+0xN"}),
    Case("a Friday is not scraped", 5, ('warning TargetMissing job="friday"',), {up("friday", "f2"): "0+0xN"}),
    Case("a gateway is not found", 5, ('warning TargetMissing job="litellm"',), {up("litellm", "l2"): ""}),
    Case("the exporter of Redis is gone", 5, ('warning TargetMissing job="redis"',), {up("redis", "r1"): "0+0xN"}),
    Case("a new Friday is not scraped yet", 5, (), {servers("friday"): "2+0x3 3+0xN"}),
    Case("Alertmanager is down", 5, ("warning AlertmanagerDown",), {up("alertmanager", "a1"): "0+0xN"}),
    Case("Alertmanager is new", 5, (), {up("alertmanager", "a1"): "_x2 1+0xN"}),
    Case(
        "a receiver answers 500", 5, ('warning NotificationsFail integration="webhook"',), {UNDELIVERED: "0+0x3 1+0xN"}
    ),
    Case("a receiver answered 500 yesterday", 60, (), {UNDELIVERED: "0+0x3 1+0xN"}),
    Case("a gauge was renamed", 8, ('warning MetricsMissing metric="gateway_quota_shared"',), {SHARED: ""}),
    Case("a counter was renamed", 8, ('warning MetricsMissing metric="gateway_chats_total"',), {CHATS: ""}),
    Case(
        "Friday's counter was renamed",
        8,
        ('warning MetricsMissing metric="friday_llm_requests_total"',),
        {requests("litellm"): "", requests("direct"): ""},
    ),
    Case("nobody has asked anything yet", 8, (), {CHATS: "", ATTEMPTS: "", **took(0.4, rise=0)}),
)

BURNS_FAST = ('critical ErrorBudgetBurns window="1h"', 'critical ErrorBudgetBurns window="6h"')
BURNS_SLOWLY = ('warning ErrorBudgetBurns window="1d"', 'warning ErrorBudgetBurns window="3d"')
BURNS = (*BURNS_FAST, *BURNS_SLOWLY)
GATEWAYS_USERS, DIRECT_USERS = ('critical ErrorRateHigh users="gateway"', 'critical ErrorRateHigh users="direct"')
FALLBACKS = 'critical FallbackRateHigh counted_by="friday"'
LATE = tuple(f'warning LatencyHigh counted_by="friday" quantile="{each}"' for each in ("p50", "p95", "p99"))
NO_DIRECT = {requests("direct"): each_minute(0), **waits("direct", 0.4, rise=0)}

USERS = (
    Case(
        "the gateway's users see errors, the first of their kind",
        16,
        (GATEWAYS_USERS, *BURNS),
        {requests("fallback", "unavailable"): "_x10 2+2xN"},
    ),
    Case(
        "the direct path's users see errors", 16, (DIRECT_USERS, *BURNS), {requests("direct", "timeout"): FAILS_AT_10}
    ),
    Case("a tenth of the calls fails", 14, (), {requests("direct", "timeout"): "_x10 1+1x3 4+0xN"}),
    Case("callers' own errors", 30, (), {requests("direct", "cancelled"): each_minute(9)}),
    Case(
        "three calls at night, and two of them fail",
        15,
        (),
        {**NO_DIRECT, requests("direct"): "100+0x12 101+0xN", requests("direct", "timeout"): "0+0x11 1 2+0xN"},
    ),
    Case("errors end with a restart", 15, BURNS[1:], {requests("direct", "timeout"): "90+0x4 0+0xN"}),
    Case(
        "errors go on after a restart at the same address",
        16,
        (DIRECT_USERS, *BURNS),
        {requests("direct", "timeout"): "90+0x10 3+3xN"},
    ),
    Case("no call at all", 30, (), {**NO_DIRECT, requests("litellm"): each_minute(0), **waits("litellm", 0.4, rise=0)}),
    Case("most calls fall back", 15, (FALLBACKS,), {requests("fallback"): "0+0x5 11+11xN"}),
    Case("half of the calls fall back", 15, (), {requests("fallback"): each_minute(10)}),
    Case(
        "most calls fall back, and the gateway is down",
        15,
        ("critical GatewayDown", "warning ReplicaDown"),
        {requests("fallback"): "0+0x5 11+11xN", servers("litellm"): "2+0x5 0+0xN"},
    ),
    Case(
        "most calls fall back, and the gateway is closed",
        15,
        (),
        {requests("fallback"): "0+0x5 11+11xN", SWITCH: "0+0x5 1+0xN"},
    ),
    Case("one fallback at night", 15, (), {requests("litellm"): "9+0xN", requests("fallback"): "0+0x8 1+0xN"}),
    Case(
        "every call takes 20 s, on both paths",
        8,
        tuple(f'critical ResponsesSlow path="{path}"' for path in ("litellm", "direct")),
        {**waits("litellm", 20), **waits("direct", 20)},
    ),
    Case(
        "the team's own target is 20 s",
        8,
        (),
        {**waits("litellm", 20), **waits("direct", 20)},
        {"gates": {"latency": {"p95Seconds": 20}}},
    ),
    Case("three slow calls at night", 8, (), {**waits("litellm", 20, rise=0.5)}),
    Case("the gateway's users wait longer than the target, and than others", 30, LATE, waits("litellm", 9)),
    Case("the direct path is as slow", 30, (), {**waits("litellm", 9), **waits("direct", 9)}),
    Case("there is no direct path to compare with", 30, LATE, {**waits("litellm", 9), **NO_DIRECT}),
    Case("few calls, too few for p95 and p99", 30, (), waits("litellm", 9, rise=1)),
    Case("enough calls for p50 and p95, not for p99", 30, LATE[:2], waits("litellm", 9, rise=4)),
)

_DAY = 24 * 60
_MODEL = 'warning ProviderDown model="a"'
ACCOUNTS = (
    Case("the gateway reads a cost", 5, ('critical CostAboveZero source="gateway"',), {SPEND: "0+0x3 0.000001+0xN"}),
    Case(
        "a cost, the first thing that is seen", 5, ('critical CostAboveZero source="friday"',), {COST: "_x3 0.01+0xN"}
    ),
    Case("a cost, two hours ago", 150, (), {SPEND: "0+0x3 0.000001+0xN"}),
    Case("a replica that was restarted spends nothing", 120, (), {SPEND: "0.1+0x3 0+0xN"}),
    Case("the account is refused", 8, ('warning AccountRefused reason="data_policy"',), {REFUSED: "_x6 1+0xN"}),
    Case("the account was refused", 20, (), {REFUSED: "_x6 1+0xN"}),
    Case("a model fails whenever it is asked", 12, (_MODEL,), {rests("a"): "_x5 60+60xN"}),
    Case("a model asks for ten minutes", 6, (_MODEL,), {rests("a"): "_x5 600+0xN"}),
    Case(
        "a model fails for two reasons",
        12,
        (_MODEL,),
        {rests("a"): "_x5 60+30xN", rests("a", "broken"): "_x5 30+30xN"},
    ),
    Case("a model failed for a minute", 12, (), {rests("a"): "_x5 60 60+0xN"}),
    Case("both paths make 95 calls a minute", 10, ("warning QuotaMinute",), {ATTEMPTS: each_minute(85)}),
    Case("one busy minute", 10, (), {ATTEMPTS: "0+0x6 95+0xN"}),
    Case("OpenRouter names a smaller limit", 10, ("warning QuotaMinute",), {ACCOUNT: each_minute(0, 20)}),
    Case("the limit of today ends", 150, ("warning QuotaDay",), settings=a_day(3_200)),
    Case("the limit of today will end", 100, ("warning QuotaForecast",), settings=a_day(25_000)),
    Case("the limit of today will last", 100, (), settings=a_day(32_000)),
    Case("a new day, and nothing of it is used", _DAY + 5, (), NIGHT, a_day(3_200), groups=QUOTA),
    Case("the next day is used as well", _DAY + 150, ("warning QuotaDay",), settings=a_day(3_200), groups=QUOTA),
)

ERROR_BUDGET = (
    Case(
        "2 % of the calls fail for an hour",
        65,
        BURNS,
        {requests("direct", "timeout"): each_minute(0.4)},
    ),
    Case(
        "0.5 % fail all the time",
        65,
        BURNS_SLOWLY,
        {requests("direct", "timeout"): each_minute(0.1)},
    ),
    Case("2 % failed, and it is over", 400, (), {requests("direct", "timeout"): "0+0.4x30 12+0xN"}),
    Case("one failure of many calls", 65, (), {requests("direct", "timeout"): "0+0x60 1+0xN"}),
    Case("a few failures of few calls", 65, (), {**NO_DIRECT, requests("direct", "timeout"): "0+0x60 4+0xN"}),
)

OWN_FRIDAY = {"friday": {"image": OWN_IMAGE}}
_OWN_METRICS = {"friday": {"image": OWN_IMAGE, "metricsPath": "/metrics"}}
_CHATS = {"friday": {"image": OWN_IMAGE, "chatPaths": ["/api/chat"]}}
OTHERS_IMAGE = (
    Case("all is well", 60, (), {}, OWN_FRIDAY, OWN),
    Case(
        "the edge answers errors",
        16,
        ('critical ErrorRateHigh users="all"', *BURNS),
        {answers("users", "5xx"): "0+0x10 4+4xN"},
        OWN_FRIDAY,
        OWN,
    ),
    Case("users' own errors", 16, (), {answers("users", "4xx"): each_minute(10)}, OWN_FRIDAY, OWN),
    Case(
        "chats fail, pages do not",
        16,
        ('critical ErrorRateHigh users="all"', *BURNS),
        {answers("chats", "5xx"): "0+0x10 4+4xN", answers("chats", "2xx"): each_minute(10)},
        _CHATS,
        OWN,
    ),
    Case(
        "the gateway fails",
        15,
        ('critical FallbackRateHigh counted_by="edge"',),
        {answers("gateway_internal", "5xx"): "0+0x5 11+11xN"},
        OWN_FRIDAY,
        OWN,
    ),
    Case(
        "the gateway is slow",
        30,
        tuple(f'warning LatencyHigh counted_by="gateway" quantile="{each}"' for each in ("p50", "p95", "p99")),
        took(9),
        OWN_FRIDAY,
        OWN,
    ),
    Case("with metrics of Friday's it speaks for itself", 60, (), {}, _OWN_METRICS),
    Case(
        "with metrics of Friday's one alert is enough",
        16,
        (DIRECT_USERS, *BURNS),
        {requests("direct", "timeout"): FAILS_AT_10, answers("users", "5xx"): "0+0x10 4+4xN"},
        _OWN_METRICS,
    ),
    Case(
        "with other metrics the edge speaks",
        16,
        ('critical ErrorRateHigh users="all"', *BURNS),
        {
            answers("users", "5xx"): "0+0x10 4+4xN",
            up("friday", "f1"): each_minute(0, 1),
            up("friday", "f2"): each_minute(0, 1),
        },
        _OWN_METRICS,
        OWN,
    ),
)

CASES: dict[str, Case] = {
    f"{group}: {case.name}": case
    for group, cases in (
        ("parts", PARTS),
        ("users", USERS),
        ("account", ACCOUNTS),
        ("error budget", ERROR_BUDGET),
        ("an image of one's own", OTHERS_IMAGE),
    )
    for case in cases
}
