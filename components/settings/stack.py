"""StackSettings: everything that a stack file may say, with the words that its errors use.

Each field's description completes the sentence "should be ...": it is the documentation and the error in one.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic.alias_generators import to_camel

from components.catalogue import Catalogue
from components.free_models import RouterTuning
from components.settings import parts
from components.settings.base import Count, PartSettings, Secret, Settings, UserId, between, group
from components.settings.container import Variables
from components.settings.egress import EgressSettings
from components.settings.hosts import Address, SshSettings, TlsSettings
from components.settings.notify import NotifySettings
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

INNER_SECRETS = ("notify.slack.url", "notify.webhook.url", "notify.webhook.token", "notify.email.password")
"""The secrets inside of other maps, by their paths."""

_ALERTS_ABOVE = 3  # 9090 and 9093 are what both use where nobody says otherwise


class StackSettings(Catalogue):
    """One stack file, checked: its models, and everything else."""

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
    ssh: SshSettings = group(SshSettings, "a map of how ssh:// hosts are reached")
    tls: TlsSettings = group(TlsSettings, "a map of how tcp:// hosts are reached")
    upstream: Literal["openrouter", "simulator"] = Field(
        default="openrouter", description="openrouter, or simulator (a stand-in that runs in the stack)"
    )
    litellm_enabled: bool = Field(default=True, description="true or false")
    rollout_percentage: Count = between(0, 100, "a whole number", default=0)
    testers: tuple[UserId, ...] = Field(
        default=(),
        max_length=1000,
        description="a list of the ids of at most 1000 users, each once, who go through LiteLLM at any percentage",
    )
    compare_testers: bool = Field(default=False, description="true or false")
    friday: parts.FridaySettings = group(parts.FridaySettings, "a map of Friday's settings")
    litellm: parts.LitellmSettings = group(parts.LitellmSettings, "a map of the gateway's settings")
    edge: parts.EdgeSettings = group(parts.EdgeSettings, "a map of the edge's settings")
    redis: parts.RedisSettings = group(parts.RedisSettings, "a map of Redis' settings")
    simulator: parts.SimulatorSettings = group(parts.SimulatorSettings, "a map of the simulator's settings")
    monitoring: parts.MonitoringSettings = group(parts.MonitoringSettings, "a map of Prometheus' settings")
    quota: parts.QuotaSettings = group(parts.QuotaSettings, "a map with the account's limits")
    egress: EgressSettings = group(EgressSettings, "a map of the way from the containers to the internet")
    rollout: RolloutSettings = group(RolloutSettings, "a map of the rollout's steps and their pace")
    gates: GatesSettings = group(GatesSettings, "a map of the gates between two steps")
    notify: NotifySettings = group(NotifySettings, "a map of who is told what happens to the rollout")
    router: RouterTuning = group(RouterTuning, "a map of timeouts and cooldowns")
    openrouter_api_key: Secret
    friday_openrouter_api_key: Secret | None = Field(
        default=None, description="a secret as openrouterApiKey, for the direct path (the same key when left out)"
    )
    friday_secrets: Variables[SecretStr] = Field(
        default_factory=dict, description="a map of Friday's secret environment variables (UPPER_CASE: secure: ...)"
    )
    gateway_key: Secret
    edge_key: Secret
    ops_key: Secret
    redis_password: Secret
    jwt_secret: Secret

    @property
    def monitoring_published(self) -> bool:
        """Return whether what watches has host ports: a Swarm publishes on every address, and it asks for no key."""
        return self.engine != "swarm"

    @property
    def alerts_port(self) -> int:
        """Return Alertmanager's host port. Stacks that share a host have other Prometheus ports, so others here too."""
        return self.monitoring.alerts.port or self.monitoring.port + _ALERTS_ABOVE

    @property
    def host_ports(self) -> dict[str, tuple[str, int]]:
        """Return (address, port) of each setting that names a host port; a Swarm publishes on every address."""
        own = "0.0.0.0" if self.engine == "swarm" else "127.0.0.1"  # noqa: S104
        users = own if self.engine == "swarm" else self.edge.bind_address
        ports = {"edge.port": (users, self.edge.port), "edge.gatewayPort": (own, self.edge.gateway_port)}
        if self.edge.tls.files:
            ports["edge.tls.port"] = (users, self.edge.tls.port)
        if self.monitoring_published:
            ports["monitoring.port"] = (own, self.monitoring.port)
            if self.monitoring.alerts.enabled:
                ports["monitoring.alerts.port"] = (own, self.alerts_port)
        if self.upstream == "simulator":
            ports["simulator.port"] = (own, self.simulator.port)
        return ports

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the addresses of every Docker host of the stack, the one that takes its orders first."""
        return (self.docker_host, *self.swarm_hosts)

    @property
    def is_remote(self) -> bool:
        """Return whether no engine of this machine takes part."""
        return not any(address.startswith("unix://") for address in self.hosts)

    @property
    def effective_percentage(self) -> int:
        """Return the share of users (percent, 0 to 100) that go through LiteLLM: 0 while the flag is off."""
        return self.rollout_percentage if self.litellm_enabled else 0

    @property
    def effective_testers(self) -> tuple[int, ...]:
        """Return the ids of the users who go through LiteLLM at any percentage: none while the flag is off."""
        return self.testers if self.litellm_enabled else ()

    @property
    def uses_gateway(self) -> bool:
        """Return whether anybody is meant to go through LiteLLM: a share of the users, or testers."""
        return bool(self.effective_percentage or self.effective_testers)

    @model_validator(mode="after")
    def _testers_are_named_once(self) -> Self:
        if twice := sorted({each for each in self.testers if self.testers.count(each) > 1}):
            raise ValueError(f"testers should name each user once (got {', '.join(map(str, twice))} twice)")
        return self

    @model_validator(mode="after")
    def _alerts_have_a_port(self) -> Self:
        if self.alerts_port > 65535:
            raise ValueError(
                f"monitoring.alerts.port should be given: there is none {_ALERTS_ABOVE} above monitoring.port"
            )
        return self

    @model_validator(mode="after")
    def _ports_and_keys_differ(self) -> Self:
        for (name, (_, port)), (other, (_, next_port)) in combinations(self.host_ports.items(), 2):
            if port == next_port:
                raise ValueError(f"{name} and {other} should differ (both are {port})")
        keys = {"gatewayKey": self.gateway_key, "edgeKey": self.edge_key, "opsKey": self.ops_key}
        for (name, key), (other, next_key) in combinations(keys.items(), 2):
            if key == next_key:
                raise ValueError(f"{name} and {other} should differ: each opens something else")
        return self

    @model_validator(mode="after")
    def _users_have_a_gateway(self) -> Self:
        if self.uses_gateway and not self.litellm.replicas:
            raise ValueError("litellm.replicas should be 1 or more while users go through it (litellmEnabled is true)")
        return self

    @model_validator(mode="after")
    def _edge_is_reachable(self) -> Self:
        if self.edge.proxy_protocol and not self.edge.trusted_proxies:
            raise ValueError("edge.trustedProxies should name who speaks the PROXY protocol (edge.proxyProtocol)")
        self.edge.tls.require_both()
        return self

    @model_validator(mode="after")
    def _hosts_can_be_reached(self) -> Self:
        if self.swarm_hosts and self.engine != "swarm":
            raise ValueError("swarmHosts should be left out unless engine is swarm")
        if any(address.startswith("tcp://") for address in self.hosts):
            self.tls.require()
        return self

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


def _parts(settings: Settings, prefix: str = "") -> Iterator[tuple[str, PartSettings]]:
    """Yield what each part is set to, by its place in the stack file."""
    for name, value in settings:
        if isinstance(value, PartSettings):
            yield f"{prefix}{to_camel(name)}", value
            yield from _parts(value, f"{prefix}{to_camel(name)}.")
