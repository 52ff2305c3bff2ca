"""Whether the parts of a stack are there and at work: replicas, edge, Redis, breaker, switch, certificate.

While replicas are exchanged the new ones come first, so that there are never fewer than declared.
"""

from collections.abc import Iterator

from components import edge, redis
from components.alerting.rule import SHARE, WHOLE, Alert, Group, Severity, Watched, any_of, but
from components.certificate import Certificate
from indicators import INDICATORS, selectors
from indicators.indicator import percent

_REDIS_FULL = 0.9
_CERTIFICATE: tuple[tuple[Severity, int], ...] = (("warning", 21), ("critical", 3))
"""Days. Those who renew by themselves do so a month before the end, and then have a week for the update."""


def groups(watched: Watched) -> Iterator[Group]:
    """Yield the alerts on parts."""
    yield Group("replicas", (*_gone(watched), *_replica_down(watched)))
    redis_alerts = _redis() if redis.joins(watched.given.settings) else ()
    shown = certificate(edge.certificate_of(watched.given.stack, watched.given.settings))
    yield Group("parts", (*_friday(watched), _closed(), *redis_alerts, *shown), interval="1m")


def _gone(watched: Watched) -> Iterator[Alert]:
    yield Alert(
        name="EdgeDown",
        severity="critical",
        part="edge",
        when="Prometheus reaches no edge for 30 seconds",
        expression='absent(up{job="edge"} == 1)',
        lasts="30s",
        summary="the edge is not there: users may not be answered",
        description="no edge has shown its metrics for 30 seconds or longer; users come through it only",
        command="./fridayctl up STACK",
    )
    yield Alert(
        name="FridayDown",
        severity="critical",
        part="friday",
        when="an edge finds no healthy replica of Friday for 15 seconds",
        expression=f"min({selectors.FRIDAY_SERVERS}) == 0",
        lasts="15s",
        summary="no replica of Friday is healthy: users are not answered",
        description=f"{WHOLE} of {watched.given.settings.friday.replicas} replicas of Friday are healthy for the edge",
        command="./fridayctl logs STACK friday",
    )
    if not watched.given.settings.litellm.replicas:
        return
    yield Alert(
        name="GatewayDown",
        severity="critical",
        part="litellm",
        when="an edge finds no healthy replica of the gateway for 15 seconds; at 0 % it is ReplicaDown only",
        expression=but(f"min({selectors.EDGE}) == 0", f"max({selectors.FRIDAY}) == 0"),
        lasts="15s",
        summary="no replica of the gateway is healthy: LiteLLM's users fall back to the direct path",
        description=f"{WHOLE} of {watched.given.settings.litellm.replicas} replicas of it are healthy for the edge",
        command="./fridayctl rollback STACK --level 1",
    )


def _replica_down(watched: Watched) -> Iterator[Alert]:
    settings = watched.given.settings
    for part, servers, declared in (
        ("friday", selectors.FRIDAY_SERVERS, settings.friday.replicas),
        ("litellm", selectors.EDGE, settings.litellm.replicas),
    ):
        if declared:
            yield Alert(
                name="ReplicaDown",
                severity="warning",
                part=part,
                when=f"an edge finds fewer healthy replicas of {part} than are declared ({declared}), for 2 minutes",
                expression=f"min({servers}) < {declared}",
                lasts="2m",
                summary=f"a replica of {part} is down",
                description=f"{WHOLE} of {declared} replicas of {part} are healthy for the edge",
                command="./fridayctl status STACK",
            )
    edges = len(settings.hosts)
    if edges > 1:
        yield Alert(
            name="ReplicaDown",
            severity="warning",
            part="edge",
            when=f"Prometheus reaches fewer edges than the Swarm's hosts that are named ({edges}), for 2 minutes",
            expression=f'count(up{{job="edge"}} == 1) < {edges}',
            lasts="2m",
            summary="a host of the Swarm has no edge",
            description=f"{WHOLE} of {edges} edges answer Prometheus",
            command="./fridayctl status STACK",
        )


def _friday(watched: Watched) -> Iterator[Alert]:
    if not watched.may_have_friday:
        return
    yield Alert(
        name="BreakerOpen",
        severity="warning",
        part="litellm",
        when="a replica of Friday leaves the gateway alone after failures, for 2 minutes",
        expression=f"{INDICATORS['breaker_state'].expression('1m')} == 2",
        lasts="2m",
        summary="Friday leaves the gateway alone (its breaker is open)",
        description="it has been for 2 minutes or longer; users of that replica are answered by the direct path",
        command="./fridayctl logs STACK litellm",
    )
    yield Alert(
        name="PercentagesDiffer",
        severity="warning",
        part="friday",
        when="replicas of Friday have different percentages, for 10 minutes",
        expression=f"max({selectors.FRIDAY}) - min({selectors.FRIDAY}) > 0",
        lasts="10m",
        summary="replicas of Friday have different percentages",
        description=f"they are {WHOLE} points apart: an update was not finished",
        command="./fridayctl up STACK",
    )


def _closed() -> Alert:
    return Alert(
        name="GatewayClosed",
        severity="warning",
        part="edge",
        when="the gateway is closed at the edge for 10 minutes",
        expression=f"{INDICATORS['gateway_closed'].expression('1m')} == 1",
        lasts="10m",
        summary="the gateway is still closed at the edge",
        description="a rollback was interrupted, or somebody closed it: all of LiteLLM's users are on the direct path",
        command="./fridayctl history STACK",
    )


def _redis() -> Iterator[Alert]:
    away = (f"{INDICATORS['redis_up'].expression('1m')} == 0", f"{INDICATORS['quota_shared'].expression('1m')} == 0")
    yield Alert(
        name="RedisDown",
        severity="warning",
        part="redis",
        when="Redis answers its exporter, or a replica of the gateway, not at all or with gaps, for 2 minutes",
        expression=any_of(away),
        lasts="2m",
        summary="Redis does not answer",
        description="for 2 minutes or longer; each replica of the gateway keeps to its own small share of the quota "
        "meanwhile, and nothing is cached",
        command="./fridayctl logs STACK redis",
    )
    yield Alert(
        name="RedisFull",
        severity="warning",
        part="redis",
        when=f"Redis uses more than {percent(_REDIS_FULL)} of its memory for 10 minutes",
        expression=f"{INDICATORS['redis_memory'].expression('1m')} > {_REDIS_FULL:g}",
        lasts="10m",
        summary="Redis is full",
        description=f"{SHARE} of its memory is used; the oldest cached answers go",
        command="./fridayctl status STACK",
    )


def certificate(found: Certificate | None) -> Iterator[Alert]:
    """Yield the alerts on the certificate that is deployed, none without: its end is known, and a clock is enough."""
    if found is None:
        return
    for severity, days in _CERTIFICATE:
        yield Alert(
            name="CertificateEnds",
            severity=severity,
            part="edge",
            when=f"the certificate that users see ends in less than {days} days",
            expression=f"vector({int(found.ends.timestamp())}) - time() < {days * 86_400}",
            summary="the certificate that users see ends soon",
            description=f"it ends on {found.ends:%Y-%m-%d %H:%M} UTC; left: {{{{ $value | humanizeDuration }}}}",
            command="./fridayctl preflight STACK",
        )
