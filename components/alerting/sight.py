"""Whether Prometheus sees what the other rules are about, and whether what it has to say arrives."""

from collections.abc import Iterator

from components.alerting.rule import WHOLE, Alert, Group, Watched, any_of
from indicators import selectors
from indicators.promql import counted

_ALWAYS = {
    "friday": (
        "friday_llm_rollout_percentage",
        "friday_llm_breaker_state",
        'friday_llm_latency_seconds_bucket{le="+Inf"}',
    ),
    "litellm": (
        "gateway_quota_requests_per_minute",
        "gateway_quota_account_requests_per_minute",
        "gateway_quota_shared",
        "gateway_spend_usd_total",
        'gateway_chat_seconds_bucket{le="+Inf"}',
        "gateway_chat_seconds_count",
    ),
    "edge": (
        "haproxy_backend_active_servers",
        'haproxy_frontend_http_responses_total{code="5xx"}',
        'haproxy_server_status{proxy="gateway_switch", state="MAINT"}',
    ),
    "redis": ("redis_up", "redis_memory_used_bytes", "redis_memory_max_bytes"),
}
"""What each part shows from its start on, of what the rules ask for; of many series one is enough."""

_ONCE_USED = {
    "friday": {"friday_llm_requests_total": "sum(friday_llm_latency_seconds_count) > 0"},
    "litellm": {"gateway_chats_total": "sum(gateway_chat_seconds_count) > 0"},
}
"""What a part shows from its first call on, and what says that there was one."""


def groups(watched: Watched) -> Iterator[Group]:
    """Yield the alerts on Prometheus' own sight, and on Alertmanager where the stack has one."""
    yield Group("sight", (*_targets(watched), _missing(watched), *_alertmanager(watched)), interval="1m")


def _targets(watched: Watched) -> Iterator[Alert]:
    """Yield what is not scraped although it is there: what is down has an alert of its own."""
    for job, servers in (("friday", selectors.FRIDAY_SERVERS), ("litellm", selectors.EDGE), ("redis", "")):
        if watched.scrapes(job):
            scraped = f'(count(up{{job="{job}"}} == 1) or vector(0))'
            yield Alert(
                name="TargetMissing",
                severity="warning",
                part="prometheus",
                when=f"Prometheus reaches fewer replicas of {job} than "
                + ("the edge" if servers else "there are (one)")
                + ", for 3 minutes",
                expression=f"{scraped} < on () min({servers})" if servers else f"{scraped} < 1",
                lasts="3m",
                summary=f"Prometheus does not see every replica of {job}",
                description=f"it sees {WHOLE}; gates and alerts miss what the others count",
                command="./fridayctl logs STACK prometheus",
                labels={"job": job},
            )


def _missing(watched: Watched) -> Alert:
    """Return the alert on a metric that is gone although its part is there: a renamed one would look like 0."""
    conditions = []
    for job, metrics in _ALWAYS.items():
        # An image of one's own may show other metrics than Friday's.
        if watched.scrapes(job) and (job != "friday" or watched.is_reference):
            up = f'count(up{{job="{job}"}} == 1)'
            conditions += [f"{_marked(up, metric)} unless on () {metric}" for metric in metrics]
            used = _ONCE_USED.get(job, {})
            conditions += [f"{_marked(once, metric)} unless on () {metric}" for metric, once in used.items()]
    return Alert(
        name="MetricsMissing",
        severity="warning",
        part="prometheus",
        when="a part answers Prometheus, and has not a metric that rules and gates are made of, for 5 minutes",
        expression=any_of(conditions),
        lasts="5m",
        summary="the metric {{ $labels.metric }} is gone",
        description="its part answers, and does not show it: was it renamed? What is made of it means nothing now",
        command="./fridayctl status STACK",
    )


def _marked(expression: str, metric: str) -> str:
    return f'label_replace({expression}, "metric", "{metric.partition("{")[0]}", "", "")'


def _alertmanager(watched: Watched) -> Iterator[Alert]:
    if not watched.scrapes("alertmanager"):
        return
    yield Alert(
        name="AlertmanagerDown",
        severity="warning",
        part="alertmanager",
        when="Prometheus does not reach Alertmanager for 3 minutes; only `status` and Prometheus itself can show it",
        expression='absent(up{job="alertmanager"} == 1)',
        lasts="3m",
        summary="Alertmanager is down: nobody is told of alerts",
        description="it has not answered for 3 minutes or longer",
        command="./fridayctl logs STACK alertmanager",
    )
    failed = counted("alertmanager_notification_requests_failed_total", "15m", ("integration",))
    yield Alert(
        name="NotificationsFail",
        severity="warning",
        part="alertmanager",
        when="a try to deliver an alert failed in the last 15 minutes",
        expression=f"({failed}) > 0",
        summary="alerts are not delivered ({{ $labels.integration }})",
        description=f"{WHOLE} tries failed in the last 15 minutes",
        command="./fridayctl notify test STACK",
    )
