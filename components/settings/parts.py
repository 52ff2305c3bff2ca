"""What a stack file may say about each part, and about the account that they share."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from components.probes import ProbeClient
from components.settings.alerts import AlertsSettings
from components.settings.base import Count, PartSettings, Port, Settings, between, group, memory_limit
from components.settings.container import Command, Headers, Networks, Signal, User, Variables, WritablePaths
from components.settings.edge_access import CookieName, EdgeTlsSettings, Network
from components.settings.jobs import MigrateSettings, Roles


class FridaySettings(PartSettings):
    """Friday itself: image, replicas, environment, what its container has, and how it shows that it is healthy."""

    replicas: Count = between(1, 20, "a whole number of replicas", default=2)
    direct_model: str = Field(
        default="google/gemma-4-26b-a4b-it:free",
        pattern=r"^[a-z0-9._-]+/[a-z0-9._-]+:free$",
        description="an OpenRouter model id that ends with :free; the direct path calls it",
    )
    environment: Variables[Annotated[str, Field(max_length=8192)]] = Field(
        default_factory=dict, description="a map of environment variables (UPPER_CASE: value)"
    )
    health_path: str = Field(
        default="/healthz", pattern=r"^/[A-Za-z0-9/_.-]*$", description="a path that answers 200 when Friday is healthy"
    )
    metrics_path: str | None = Field(
        default=None,
        pattern=r"^/[A-Za-z0-9/_.-]*$",
        description="the path of the metrics of an image of your own; left out, such an image is not asked for any",
    )
    chat_path: str | None = Field(
        default=None,
        pattern=r"^/[A-Za-z0-9/_.-]*$",
        description="a path of an image of your own that answers a chat as POST /api/chat of the reference Friday does",
    )
    chat_paths: tuple[Annotated[str, Field(pattern=r"^/[A-Za-z0-9/_.-]+$")], ...] = Field(
        default=(), max_length=20, description="a list of beginnings of paths, as /api/chat, whose requests are chats"
    )
    probe_client: ProbeClient | None = Field(
        default=None, description="the program in Friday's image that probes it: node, python, bash or wget"
    )
    probe_headers: Headers = Field(
        default_factory=dict,
        description="a map of request headers (Name: value) that the health checks send, such as Origin",
    )
    edge_check_ms: Count | None = Field(
        default=None, ge=100, le=60000, description="milliseconds from 100 to 60000 between two checks of the edge"
    )
    start_seconds: Count | None = Field(
        default=None,
        ge=5,
        le=1800,
        description="seconds from 5 to 1800 that a start may take to its first healthy answer",
    )
    command: Command | None = Field(
        default=None,
        description="a list of the program and its words, such as [node, dist/index.js]; left out, the image's own",
    )
    user: User | None = Field(default=None, description='a user of the image in quotes, such as "node" or "1000:1000"')
    writable: WritablePaths = Field(
        default=(), description="a list of folders that Friday may write to, each with path and kind (tmpfs or volume)"
    )
    networks: Networks = Field(
        default=(),
        description="a list of names of the host's own networks that Friday joins too, such as the database's",
    )
    stop_signal: Signal | None = Field(
        default=None,
        description="SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2 or SIGWINCH; left out, the image's own",
    )
    stop_grace_seconds: Count = between(5, 600, "seconds", " that a running answer may take to finish", default=60)
    migrate: MigrateSettings | None = Field(
        default=None, description="a map of the command that runs once before new replicas start"
    )
    roles: Roles = Field(
        default_factory=dict,
        description="a map of other work for the same image, by names of small letters (worker: {command: [...]})",
    )

    @model_validator(mode="after")
    def _jobs_are_of_an_image_of_ones_own(self) -> Self:
        # The reference Friday has no database, and no work but answering.
        asked = [name for name, value in (("migrate", self.migrate), ("roles", self.roles)) if value]
        if asked and self.image is None:
            raise ValueError(f"{' and '.join(asked)} should be left out without friday.image")
        return self

    @property
    def asked_chat_path(self) -> str | None:
        """Return the path that answers a chat as the reference Friday's does, None for an image that has none."""
        return self.chat_path or (None if self.image else "/api/chat")


class LitellmSettings(PartSettings):
    """The gateway: image, replicas and limits."""

    memory_mb: Count = memory_limit(1024, at_least=512)
    replicas: Count = Field(
        default=2, ge=0, le=20, description="a whole number of replicas from 0 (no gateway runs) to 20"
    )
    stop_grace_seconds: Count = between(5, 900, "seconds", " that a running answer may take to finish", default=90)


class EdgeSettings(PartSettings):
    """The edge: which address and ports of the host it holds, and who stands in front of it."""

    memory_mb: Count = memory_limit(384)
    bind_address: str = Field(
        default="127.0.0.1",
        pattern=r"^\d{1,3}(\.\d{1,3}){3}$",
        description="an IPv4 address of the host that users reach, such as 127.0.0.1 or 0.0.0.0",
    )
    port: Port = 3000
    gateway_port: Port = Field(
        default=4000, description="a port from 1 to 65535 of 127.0.0.1 for callers with the gateway key"
    )
    max_body_mb: Count = between(1, 100, "MB", " that the body of a user's request may have", default=10)
    trusted_proxies: tuple[Network, ...] = Field(
        default=(),
        max_length=100,
        description="a list of the addresses or networks (such as 10.0.0.0/8) of the proxies in front",
    )
    proxy_protocol: bool = Field(
        default=False, description="true or false: whether the trusted proxies speak the PROXY protocol"
    )
    sticky_cookie: CookieName | None = Field(
        default=None, description="a cookie's name of up to 64 letters, digits or any of _ -"
    )
    tls: EdgeTlsSettings = group(EdgeTlsSettings, "a map of the certificate that users see")


class RedisSettings(PartSettings):
    """Redis, which joins when there is more than one gateway replica."""

    memory_mb: Count = memory_limit(64)


class SimulatorSettings(PartSettings):
    """The OpenRouter simulator: its port on 127.0.0.1, and the account limits and latency that it plays."""

    memory_mb: Count = memory_limit(192)
    port: Port = 4100
    latency_ms: Count = between(0, 60000, "milliseconds", default=120)


class RedisExporterSettings(PartSettings):
    """The exporter that joins together with Redis."""

    memory_mb: Count = memory_limit(64)


class GrafanaSettings(PartSettings):
    """Grafana, which joins when its image is named: none is built here."""

    memory_mb: Count = memory_limit(512, at_least=256)
    port: Port = 3001


class MonitoringSettings(PartSettings):
    """Prometheus: its port, how often it asks, and how much it keeps."""

    memory_mb: Count = memory_limit(384, at_least=128)
    port: Port = 9090
    scrape_seconds: Count = between(1, 60, "seconds", " between two looks", default=5)
    retention_days: Count = between(3, 400, "days", default=15)
    max_data_mb: Count = between(512, 1048576, "MiB", default=2048)
    redis_exporter: RedisExporterSettings = group(RedisExporterSettings, "a map of the Redis exporter's settings")
    alerts: AlertsSettings = group(AlertsSettings, "a map of Alertmanager's settings")
    grafana: GrafanaSettings = group(GrafanaSettings, "a map of Grafana's settings")
    placement: str = Field(
        default="node.role==manager",
        pattern=r"^(node|engine)\.[A-Za-z0-9_.-]+ ?[!=]= ?[A-Za-z0-9_.-]+$",
        description="a placement constraint of a Swarm, such as node.hostname==monitor-1",
    )


class QuotaSettings(Settings):
    """The OpenRouter account's limits over all free models together (OpenRouter's documentation of rate limits)."""

    requests_per_minute: Count = between(1, 100000, "requests a minute", default=20)
    requests_per_day: Count = between(1, 10000000, "requests a day", default=1000)
