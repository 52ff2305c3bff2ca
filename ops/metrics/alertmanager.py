"""A client of Alertmanager: which alerts it has, what became of those that it sent, and a further one."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Literal

import yaml
from pydantic import AliasPath, BaseModel, BeforeValidator, Field, TypeAdapter

from components.alertmanager import NAME, PORT
from indicators.promql import counted
from ops.deployment import Deployment
from ops.metrics.collect import Sources
from ops.metrics.prometheus import Prometheus
from ops.metrics.reached import reached
from ops.metrics.server import Server, SilentError

UNDELIVERED = counted("alertmanager_notification_requests_failed_total", "15m", ("integration",))
"""How many attempts to deliver alerts failed within 15 minutes, by channel: it tries again until one succeeds."""

_COUNTER = re.compile(
    r'^alertmanager_notification_requests_(failed_)?total\{integration="(\w+)"\} (\d+(?:\.\d+)?(?:e\+\d+)?)$',
    re.MULTILINE,
)


class Firing(BaseModel):
    """An alert that Alertmanager has now, as its API shows it (version 2)."""

    labels: dict[str, str]
    annotations: dict[str, str]
    starts: dt.datetime = Field(validation_alias="startsAt")
    state: Literal["active", "suppressed", "unprocessed"] = Field(validation_alias=AliasPath("status", "state"))
    silenced_by: list[str] = Field(validation_alias=AliasPath("status", "silencedBy"))

    @property
    def name(self) -> str:
        """Return what is wrong, in a word."""
        return self.labels.get("alertname", "?")

    @property
    def line(self) -> str:
        """Return it in a line: what, since when, who is told, what to do."""
        about = ", ".join(self.labels[each] for each in ("severity", "part") if each in self.labels)
        why = "silenced" if self.silenced_by else "its part has worse"
        told = f" ({why}: nobody is told)" if self.state == "suppressed" else ""
        said = (
            f"{self.name} ({about}) since {self.starts:%Y-%m-%d %H:%M} UTC{told}: {self.annotations.get('summary', '')}"
        )
        command = self.annotations.get("command", "")
        return f"{said.rstrip(': ')}; next: {command}" if command else said.rstrip(": ")


def _from_yaml(text: object) -> object:
    """Return what a text says; ValueError when it is none, or no YAML."""
    if not isinstance(text, str):
        raise ValueError("should be a text")
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError("should be YAML") from error


class _Configuration(BaseModel):
    receivers: list[dict[str, Any]] = []


class _Running(BaseModel):
    config: Annotated[_Configuration, BeforeValidator(_from_yaml)] = Field(
        validation_alias=AliasPath("config", "original")
    )


_ALERTS, _RUNNING = TypeAdapter(list[Firing]), TypeAdapter(_Running)


@dataclass(frozen=True)
class Deliveries:
    """What one channel was sent since Alertmanager's start: attempts, and those of them that failed."""

    attempts: int = 0
    failed: int = 0


class Alertmanager(Server):
    """Asks one Alertmanager."""

    software = "Alertmanager"

    def alerts(self) -> list[Firing]:
        """Return what fires now, the worst and then the oldest first, silenced ones too. Raises SilentError."""
        found = self._read(_ALERTS, self._request("GET", "/api/v2/alerts"))
        return sorted(found, key=lambda each: (each.labels.get("severity") != "critical", each.starts))

    def post(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        """Add alerts, or end those with a time `endsAt` that is over, as its API takes them. Raises SilentError."""
        self._request("POST", "/api/v2/alerts", json=list(alerts))

    def channels(self) -> list[str]:
        """Return the channels that it knows since its start. Raises SilentError."""
        running = self._read(_RUNNING, self._request("GET", "/api/v2/status"))
        known = {key for receiver in running.config.receivers for key in receiver}
        return sorted(key.removesuffix("_configs") for key in known if key.endswith("_configs"))

    def deliveries(self) -> dict[str, Deliveries]:
        """Return what became of what it sent, by channel. Raises SilentError."""
        found: dict[str, dict[str, int]] = {}
        for failed, channel, number in _COUNTER.findall(self._request("GET", "/metrics").text):
            found.setdefault(channel, {})["failed" if failed else "attempts"] = int(float(number))
        return {channel: Deliveries(**counts) for channel, counts in found.items()}


def alertmanager_of(deployment: Deployment, outputs: Mapping[str, object]) -> Alertmanager | None:
    """Return the Alertmanager of a deployed stack; None where the settings, or what runs, have none.

    `outputs` are the stack's. What an update before there were alerts deployed has none yet.
    """
    settings, published = deployment.settings, outputs.get("alertsUrl")
    if not settings.monitoring.alerts.enabled or (settings.monitoring_published and not published):
        return None
    hosts = cache(lambda: list(deployment.hosts.answering(lambda _: None).values()))
    return Alertmanager(*reached(deployment, published, NAME, PORT, hosts))


@dataclass(frozen=True)
class Alerting:
    """What fires, how many attempts to tell of it failed within 15 minutes by channel, and what could not be asked."""

    firing: Sequence[Firing] = ()
    undelivered: Mapping[str, int] = field(default_factory=dict)
    silent: str = ""

    def warnings(self, stack: str) -> list[str]:
        """Return why somebody may not be told, in sentences."""
        said = [f"whether alerts fire is not known: {self.silent}"] if self.silent else []
        failed = (
            f"alerts do not reach notify.{channel}: {many} of the attempts within 15 minutes failed; "
            f"./fridayctl notify test {stack} tries it"
            for channel, many in sorted(self.undelivered.items())
        )
        return [*said, *failed]


def alerting(deployment: Deployment, outputs: Mapping[str, object], asked: Sources, now: float) -> Alerting:
    """Ask Alertmanager, and Prometheus about it; empty where a stack has none. Raises nothing."""
    alertmanager = alertmanager_of(deployment, outputs)
    if alertmanager is None:
        return Alerting()
    prometheus = Prometheus(asked.prometheus, asked.transport)
    try:
        firing = alertmanager.alerts()
        failed = {each.metric.get("integration", "?"): round(each.number) for each in prometheus.ask(UNDELIVERED, now)}
        return Alerting(firing, {channel: many for channel, many in failed.items() if many > 0})
    except SilentError as error:
        return Alerting(silent=str(error))
    finally:
        alertmanager.close()
        prometheus.close()
