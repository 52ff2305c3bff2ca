"""What a healthy stack's Prometheus sees, minute by minute, and what a case changes.

A series is written as promtool reads it: `a+bx9` is a, and 9 more, each b more than the one before; `_x9` is no sample.
Here `xN` goes on to the end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SETTINGS: dict[str, Any] = {"quota": {"requestsPerMinute": 100, "requestsPerDay": 100_000}}

LE = ("0.5", "1.0", "3.0", "5.0", "10.0", "30.0", "+Inf")
FRIDAY, GATEWAY, EDGE = 'job="friday",instance="f1"', 'job="litellm",instance="l1"', 'job="edge",instance="e1"'
Series = Mapping[str, str]


def each_minute(rise: float, begin: float = 0) -> str:
    """Return a counter that rises by so much each minute to the end; by 0 a gauge."""
    return f"{begin:g}+{rise:g}xN"


def requests(path: str, outcome: str = "ok", instance: str = "f1") -> str:
    labels = f'job="friday",instance="{instance}",path="{path}",model="m",feature="chat",outcome="{outcome}"'
    return f"friday_llm_requests_total{{{labels}}}"


def waits(path: str, seconds: float, rise: float = 10) -> dict[str, str]:
    """Return the histogram of a path whose calls all take about so long."""
    name, labels = "friday_llm_latency_seconds", f'{FRIDAY},path="{path}",model="m",feature="chat"'
    buckets = {
        f'{name}_bucket{{{labels},le="{le}"}}': each_minute(rise if float(le.replace("+Inf", "inf")) >= seconds else 0)
        for le in LE
    }
    return {**buckets, f"{name}_count{{{labels}}}": each_minute(rise)}


def took(seconds: float, rise: float = 10) -> dict[str, str]:
    """Return the gateway's own histogram when all chats take about so long."""
    buckets = {
        f'gateway_chat_seconds_bucket{{{GATEWAY},le="{le}"}}': each_minute(
            rise if float(le.replace("+Inf", "inf")) >= seconds else 0
        )
        for le in LE
    }
    return {**buckets, f"gateway_chat_seconds_count{{{GATEWAY}}}": each_minute(rise)}


def servers(proxy: str) -> str:
    return f'haproxy_backend_active_servers{{{EDGE},proxy="{proxy}"}}'


def answers(proxy: str, code: str) -> str:
    return f'haproxy_frontend_http_responses_total{{{EDGE},proxy="{proxy}",code="{code}"}}'


def rests(model: str, reason: str = "busy") -> str:
    return f'gateway_model_rest_seconds_total{{{GATEWAY},model="{model}",reason="{reason}"}}'


def up(job: str, instance: str) -> str:
    return f'up{{job="{job}",instance="{instance}"}}'


SWITCH = f'haproxy_server_status{{{EDGE},proxy="gateway_switch",state="MAINT"}}'
SPEND = f"gateway_spend_usd_total{{{GATEWAY}}}"
COST = f'friday_llm_cost_usd_total{{{FRIDAY},path="direct",model="m",feature="chat"}}'
SHARED = f"gateway_quota_shared{{{GATEWAY}}}"
ACCOUNT = f"gateway_quota_account_requests_per_minute{{{GATEWAY}}}"
ATTEMPTS = f'gateway_upstream_attempts_total{{{GATEWAY},model="a"}}'
REFUSED = f'gateway_account_refused_total{{{GATEWAY},reason="data_policy"}}'
CHATS = f'gateway_chats_total{{{GATEWAY},status="200"}}'
PERCENTAGE = 'friday_llm_rollout_percentage{job="friday",instance="%s"}'
BREAKER = f"friday_llm_breaker_state{{{FRIDAY}}}"
USED, MOST = ('redis_memory_%s_bytes{job="redis"}' % each for each in ("used", "max"))  # noqa: UP031 - braces
UNDELIVERED = 'alertmanager_notification_requests_failed_total{job="alertmanager",integration="webhook"}'

_EDGE: Series = {
    up("edge", "e1"): each_minute(0, 1),
    servers("friday"): each_minute(0, 2),
    servers("litellm"): each_minute(0, 2),
    SWITCH: each_minute(0),
    answers("users", "2xx"): each_minute(20),
    answers("users", "5xx"): each_minute(0),
    answers("gateway_internal", "2xx"): each_minute(10),
    answers("gateway_internal", "5xx"): each_minute(0),
}
_GATEWAY: Series = {
    up("litellm", "l1"): each_minute(0, 1),
    up("litellm", "l2"): each_minute(0, 1),
    f"gateway_quota_requests_per_minute{{{GATEWAY}}}": each_minute(0, 90),
    ACCOUNT: each_minute(0),
    SHARED: each_minute(0, 1),
    SPEND: each_minute(0),
    CHATS: each_minute(10),
    ATTEMPTS: each_minute(10),
    **took(0.4),
    up("redis", "r1"): each_minute(0, 1),
    'redis_up{job="redis"}': each_minute(0, 1),
    USED: each_minute(0, 10),
    MOST: each_minute(0, 100),
    up("alertmanager", "a1"): each_minute(0, 1),
    UNDELIVERED: each_minute(0),
}
_FRIDAY: Series = {
    up("friday", "f1"): each_minute(0, 1),
    up("friday", "f2"): each_minute(0, 1),
    PERCENTAGE % "f1": each_minute(0, 50),
    PERCENTAGE % "f2": each_minute(0, 50),
    BREAKER: each_minute(0),
    requests("litellm"): each_minute(10),
    requests("direct"): each_minute(10),
    **waits("litellm", 0.4),
    **waits("direct", 0.4),
}
HEALTHY: Series = {**_EDGE, **_GATEWAY, **_FRIDAY}
OWN: Series = {**_EDGE, **_GATEWAY}
"""The same of an image of one's own that has no metrics."""


@dataclass(frozen=True)
class Case:
    """`changes` to what is seen, the minute at which one looks, and what fires then: "critical FridayDown", and behind
    it further labels. A series that changes to "" is not there. A long case has only some `groups` of rules.
    """

    name: str
    minutes: int
    fires: tuple[str, ...] = ()
    changes: Series = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    world: Series = field(default_factory=lambda: HEALTHY)
    groups: tuple[str, ...] = ()

    @property
    def alerts(self) -> set[str]:
        """Return the names of what fires."""
        return {each.split()[1] for each in self.fires}

    def document(self) -> dict[str, object]:
        """Return it as a test of promtool's. It evaluates all groups alike: each minute, as the slowest."""
        seen = {name: values for name, values in {**self.world, **self.changes}.items() if values}
        rest = f"x{self.minutes}"
        return {
            "interval": "1m",
            "input_series": [{"series": name, "values": values.replace("xN", rest)} for name, values in seen.items()],
            "promql_expr_test": [
                {
                    "expr": 'count without (alertstate, part) (ALERTS{alertstate="firing"})',
                    "eval_time": f"{self.minutes}m",
                    "exp_samples": [{"labels": _labels(each), "value": 1} for each in self.fires],
                }
            ],
        }


def _labels(firing: str) -> str:
    severity, name, *further = firing.split()
    return f'{{alertname="{name}",severity="{severity}"{"".join("," + each for each in further)}}}'
