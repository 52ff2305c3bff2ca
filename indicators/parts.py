"""Whether the parts of a stack are there: replicas, breaker, switch, Redis, and Prometheus' own sight."""

from indicators import selectors
from indicators.indicator import Indicator
from indicators.promql import sampled

_OFTEN = "15s"
_STATUS = "`./fridayctl status STACK` names the replica, `./fridayctl logs STACK PART` why"


def healthy(servers: str) -> str:
    """Return the condition that the edge finds a healthy replica; the edge that sees fewest counts.

    Users of a host whose edge has no gateway are users without one.
    """
    return f"min({servers}) > bool 0"


def _coverage(window: str) -> str:
    seen = sampled("count_over_time", "sum by (job) (up) > 0", window, _OFTEN)
    return f"{seen} / on () group_left () {sampled('count_over_time', 'vector(1)', window, _OFTEN)}"


HEALTH = (
    Indicator(
        "alerts_firing",
        "Alerts that fire",
        "count",
        "alerts that are true now, whether somebody was told or not",
        "Prometheus' page Alerts names them; ALERTS.md says what each means and what to do first",
        lambda _: 'count(ALERTS{alertstate="firing"}) or vector(0)',
    ),
    Indicator(
        "edge_replicas",
        "Replicas that serve",
        "count",
        "replicas of Friday and of the gateway (`litellm`) that the edge sends requests to; of several edges the one "
        "that sees fewest",
        _STATUS,
        lambda _: 'min by (proxy) (haproxy_backend_active_servers{proxy=~"friday|litellm"})',
        ("proxy",),
    ),
    Indicator(
        "gateway_up",
        "Time with a gateway",
        "ratio",
        "share of the window in which the edge found a healthy replica of the gateway; the gate `gateway` judges it",
        "`./fridayctl logs STACK litellm`; users are answered by the direct path meanwhile",
        lambda window: sampled("avg_over_time", healthy(selectors.EDGE), window, _OFTEN),
    ),
    Indicator(
        "friday_up",
        "Time with a Friday",
        "ratio",
        "the same for Friday: without a replica nobody is answered",
        "`./fridayctl logs STACK friday`, `./fridayctl up STACK`",
        lambda window: sampled("avg_over_time", healthy(selectors.FRIDAY_SERVERS), window, _OFTEN),
    ),
    Indicator(
        "replicas_up",
        "Replicas that answer Prometheus",
        "count",
        "replicas that were found and show their metrics, by part",
        _STATUS,
        lambda _: "sum by (job) (up)",
        ("job",),
    ),
    Indicator(
        "replicas_silent",
        "Replicas without metrics",
        "count",
        "replicas that were found and do not show their metrics. One that is gone is not found any more and not in "
        "here: `edge_replicas` misses it",
        _STATUS,
        lambda _: "sum by (job) (up == bool 0)",
        ("job",),
    ),
    Indicator(
        "breaker_state",
        "Friday's breaker",
        "count",
        "the worst replica's: 0 closed, 1 half open, 2 open (Friday leaves the gateway alone)",
        "open for minutes: `./fridayctl logs STACK litellm`; it closes by itself when the gateway answers",
        lambda window: f"max(max_over_time(friday_llm_breaker_state[{window}]))",
    ),
    Indicator(
        "gateway_closed",
        "Gateway closed at the edge",
        "flag",
        "1 when a rollback, or an operator, has closed the gateway: all users go to the direct path",
        "`./fridayctl history STACK` says why; `./fridayctl up STACK` opens it",
        lambda _: 'max(haproxy_server_status{proxy="gateway_switch", state="MAINT"})',
    ),
    Indicator(
        "redis_up",
        "Redis answers",
        "flag",
        "1 while Redis answers its exporter; empty where there is one replica of the gateway, and so no Redis",
        "`./fridayctl logs STACK redis`; each replica keeps to its own share of the quota meanwhile",
        lambda _: "min(redis_up)",
    ),
    Indicator(
        "redis_memory",
        "Redis' memory",
        "ratio",
        "how full Redis is; full, it drops the oldest cached answers",
        "a larger `redis.memoryMb`, or a shorter `router.cacheTtlSeconds`",
        lambda _: "max(redis_memory_used_bytes / redis_memory_max_bytes)",
    ),
    Indicator(
        "prometheus_coverage",
        "Seen by Prometheus",
        "ratio",
        "share of the window in which a replica of the part showed its metrics; the gate `metrics` judges gateway, "
        "edge and Friday together",
        "wait until the window is covered; `./fridayctl logs STACK prometheus`",
        _coverage,
        ("job",),
    ),
)
