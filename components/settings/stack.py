"""StackSettings: everything that a stack file may say, with the words that its errors use.

Each field's description completes the sentence "should be ...": it is the documentation and the error in one.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator
from pydantic.alias_generators import to_camel

from components import friday_environment
from components.catalogue import MINIMUM_MODELS, Catalogue, FreeModel, default_models
from components.free_models import RouterTuning
from components.probes import ProbeClient
from components.settings.base import Count, PartSettings, Port, Secret, Settings, memory_limit
from components.settings.hosts import Address, SshSettings, TlsSettings
from components.settings.monitoring import MonitoringSettings
from components.settings.rollout import GatesSettings, RolloutSettings

SECRET_KEYS = (
    "openrouterApiKey",
    "fridayOpenrouterApiKey",
    "gatewayKey",
    "edgeKey",
    "opsKey",
    "redisPassword",
    "jwtSecret",
)

GENERATED_KEYS = ("gatewayKey", "edgeKey", "opsKey", "redisPassword")
"""The secrets that only parts of the stack show each other: `fridayctl up` generates those that nobody gave."""

SECRET_MAP = "fridaySecrets"  # noqa: S105 - the name of a setting
"""The one map of secrets; apart from `friday`, because Pulumi's history shows nothing of a map that holds a secret."""

VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Z_][A-Z0-9_]*$")]


_Value = TypeVar("_Value")


def _without_reserved_names(value: dict[str, _Value]) -> dict[str, _Value]:
    taken = sorted(friday_environment.RESERVED & value.keys())
    if taken:
        raise ValueError(f"without {', '.join(taken)}: the stack sets these itself")
    return value


class FridaySettings(PartSettings):
    """Friday itself: image, replicas, environment and how it shows that it is healthy."""

    replicas: Count = Field(default=2, ge=1, le=20, description="a whole number of replicas from 1 to 20")
    direct_model: str = Field(
        default="openai/gpt-oss-20b:free",
        pattern=r"^[a-z0-9._-]+/[a-z0-9._-]+:free$",
        description="an OpenRouter model id that ends with :free; the direct path calls it",
    )
    environment: dict[VariableName, Annotated[str, Field(max_length=8192)]] = Field(
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
    probe_client: ProbeClient | None = Field(
        default=None, description="the program in Friday's image that probes it: python, bash or wget"
    )
    stop_grace_seconds: Count = Field(
        default=60, ge=5, le=600, description="seconds from 5 to 600 that a running answer may take to finish"
    )

    @field_validator("environment")
    @classmethod
    def _leave_reserved_names(cls, value: dict[str, str]) -> dict[str, str]:
        return _without_reserved_names(value)


class LitellmSettings(PartSettings):
    """The gateway: image, replicas and limits."""

    memory_mb: Count = memory_limit(1024, at_least=512)
    replicas: Count = Field(
        default=2, ge=0, le=20, description="a whole number of replicas from 0 (no gateway runs) to 20"
    )
    stop_grace_seconds: Count = Field(
        default=90, ge=5, le=900, description="seconds from 5 to 900 that a running answer may take to finish"
    )


class EdgeSettings(PartSettings):
    """The edge: which address and ports of the host it holds."""

    memory_mb: Count = memory_limit(128)
    bind_address: str = Field(
        default="127.0.0.1",
        pattern=r"^\d{1,3}(\.\d{1,3}){3}$",
        description="an IPv4 address of the host that users reach, such as 127.0.0.1 or 0.0.0.0",
    )
    port: Port = 3000
    gateway_port: Port = Field(
        default=4000, description="a port from 1 to 65535 of 127.0.0.1 for callers with the gateway key"
    )


class RedisSettings(PartSettings):
    """Redis, which joins when there is more than one gateway replica."""

    memory_mb: Count = memory_limit(64)


class SimulatorSettings(PartSettings):
    """The OpenRouter simulator: its port on 127.0.0.1, and the account limits and latency that it plays."""

    memory_mb: Count = memory_limit(192)
    port: Port = 4100
    latency_ms: Count = Field(default=120, ge=0, le=60000, description="milliseconds from 0 to 60000")


class QuotaSettings(Settings):
    """The OpenRouter account's limits over all free models together (OpenRouter's documentation of rate limits)."""

    requests_per_minute: Count = Field(default=20, ge=1, le=100000, description="requests a minute from 1 to 100000")
    requests_per_day: Count = Field(default=1000, ge=1, le=10000000, description="requests a day from 1 to 10000000")


class StackSettings(Settings):
    """One stack file, checked."""

    engine: Literal["container", "swarm"] = Field(
        default="container", description="container (one host) or swarm (several hosts)"
    )
    docker_host: Address = "unix:///var/run/docker.sock"
    swarm_hosts: tuple[Address, ...] = Field(
        default=(), max_length=50, description="a list of the addresses of the Swarm's other hosts, each as dockerHost"
    )
    endpoint_mode: Literal["dnsrr", "vip"] = Field(
        default="dnsrr", description="dnsrr (answers on every kernel) or vip (needs ipvs); of a Swarm's services"
    )
    ssh: SshSettings = Field(default_factory=SshSettings, description="a map of how ssh:// hosts are reached")
    tls: TlsSettings = Field(default_factory=TlsSettings, description="a map of how tcp:// hosts are reached")
    upstream: Literal["openrouter", "simulator"] = Field(
        default="openrouter", description="openrouter, or simulator (a stand-in that runs in the stack)"
    )
    litellm_enabled: bool = Field(default=True, description="true or false")
    rollout_percentage: Count = Field(default=0, ge=0, le=100, description="a whole number from 0 to 100")
    friday: FridaySettings = Field(default_factory=FridaySettings, description="a map of Friday's settings")
    litellm: LitellmSettings = Field(default_factory=LitellmSettings, description="a map of the gateway's settings")
    edge: EdgeSettings = Field(default_factory=EdgeSettings, description="a map of the edge's settings")
    redis: RedisSettings = Field(default_factory=RedisSettings, description="a map of Redis' settings")
    simulator: SimulatorSettings = Field(
        default_factory=SimulatorSettings, description="a map of the simulator's settings"
    )
    monitoring: MonitoringSettings = Field(
        default_factory=MonitoringSettings, description="a map of Prometheus' settings"
    )
    quota: QuotaSettings = Field(default_factory=QuotaSettings, description="a map with the account's limits")
    rollout: RolloutSettings = Field(
        default_factory=RolloutSettings, description="a map of the rollout's steps and their pace"
    )
    gates: GatesSettings = Field(default_factory=GatesSettings, description="a map of the gates between two steps")
    models: tuple[FreeModel, ...] = Field(
        default_factory=default_models,
        min_length=MINIMUM_MODELS,
        max_length=50,
        description=f"a list of {MINIMUM_MODELS} to 50 free models, each with name, id and aliases",
    )
    fallback_order: tuple[str, ...] | None = Field(
        default=None, description="a list of the models' names in the order in which they stand in for each other"
    )
    router: RouterTuning = Field(default_factory=RouterTuning, description="a map of timeouts and cooldowns")
    openrouter_api_key: Secret
    friday_openrouter_api_key: Secret | None = Field(
        default=None, description="a secret as openrouterApiKey, for the direct path (the same key when left out)"
    )
    friday_secrets: dict[VariableName, SecretStr] = Field(
        default_factory=dict, description="a map of Friday's secret environment variables (UPPER_CASE: secure: ...)"
    )
    gateway_key: Secret
    edge_key: Secret
    ops_key: Secret
    redis_password: Secret
    jwt_secret: Secret

    @property
    def monitoring_published(self) -> bool:
        """Return whether Prometheus has a host port: a Swarm publishes on every address, and it asks for no key."""
        return self.engine != "swarm"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the addresses of every Docker host of the stack, the one that takes its orders first."""
        return (self.docker_host, *self.swarm_hosts)

    @property
    def effective_percentage(self) -> int:
        """Return the share of users (percent, 0 to 100) that go through LiteLLM: 0 while the flag is off."""
        return self.rollout_percentage if self.litellm_enabled else 0

    @property
    def catalogue(self) -> Catalogue:
        """Return the models with their fallback order."""
        return Catalogue(models=self.models, fallback_order=self.fallback_order)

    @model_validator(mode="after")
    def _models_form_a_catalogue(self) -> Self:
        _ = self.catalogue
        return self

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        ports = {"edge.port": self.edge.port, "edge.gatewayPort": self.edge.gateway_port}
        if self.monitoring_published:
            ports["monitoring.port"] = self.monitoring.port
        if self.upstream == "simulator":
            ports["simulator.port"] = self.simulator.port
        for name, port in ports.items():
            others = [other for other, value in ports.items() if value == port and other != name]
            if others:
                raise ValueError(f"{name} and {others[0]} should differ (both are {port})")
        return self

    @model_validator(mode="after")
    def _users_have_a_gateway(self) -> Self:
        if self.litellm_enabled and self.rollout_percentage and not self.litellm.replicas:
            raise ValueError("litellm.replicas should be 1 or more while users go through it (litellmEnabled is true)")
        return self

    @model_validator(mode="after")
    def _hosts_can_be_reached(self) -> Self:
        if self.swarm_hosts and self.engine != "swarm":
            raise ValueError("swarmHosts should be left out unless engine is swarm")
        if any(address.startswith("tcp://") for address in self.hosts):
            self.tls.require()
        return self

    @field_validator("friday_secrets")
    @classmethod
    def _leave_reserved_names(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        return _without_reserved_names(value)

    @model_validator(mode="after")
    def _images_are_pinned(self) -> Self:
        for name, part in _parts(self) if self.upstream == "openrouter" else ():
            # What stands in for OpenRouter is not there then.
            if name != "simulator" and part.image and "@sha256:" not in part.image:
                raise ValueError(
                    f"{name}.image should end with its digest, @sha256:<64 hex digits>, when upstream is openrouter "
                    f"(got {part.image}): a tag may be another image tomorrow; docker push prints the digest"
                )
        return self

    @model_validator(mode="after")
    def _keys_differ(self) -> Self:
        keys = {"gatewayKey": self.gateway_key, "edgeKey": self.edge_key, "opsKey": self.ops_key}
        for (name, key), (other, next_key) in combinations(keys.items(), 2):
            if key == next_key:
                raise ValueError(f"{name} and {other} should differ: each opens something else")
        return self


def _parts(settings: Settings, prefix: str = "") -> Iterator[tuple[str, PartSettings]]:
    """Yield what each part is set to, by its place in the stack file."""
    for name, value in settings:
        if isinstance(value, PartSettings):
            yield f"{prefix}{to_camel(name)}", value
            yield from _parts(value, f"{prefix}{to_camel(name)}.")
