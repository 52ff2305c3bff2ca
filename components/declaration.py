"""What a stack consists of, as plain data: the program declares it, and checks compare the hosts with it."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from components.edge import EdgeArgs, edge_workload
from components.edge_config import GATEWAY_INTERNAL_PORT
from components.free_models import OPENROUTER, simulator_url
from components.friday import FridayArgs, friday_workload
from components.litellm import LitellmArgs, litellm_workload
from components.monitoring import PrometheusArgs, RedisExporterArgs, prometheus_workload, redis_exporter_workload
from components.redis import RedisArgs, redis_workload
from components.settings import StackSettings
from components.simulator import ALIAS, SimulatorArgs, simulator_workload
from components.workload import Workload

PARTS = ("simulator", "redis", "redis-exporter", "litellm", "friday", "edge", "prometheus")
"""The part of every workload that a stack may have."""

_NAMES = ("edge", "friday", "litellm", "redis", "redis-exporter", ALIAS)


@dataclass(frozen=True)
class Declaration:
    """The arguments of each part; a part that a stack does not have is None."""

    simulator: SimulatorArgs | None
    redis: RedisArgs | None
    litellm: LitellmArgs
    friday: FridayArgs
    edge: EdgeArgs
    prometheus: PrometheusArgs
    redis_exporter: RedisExporterArgs | None

    def workloads(self) -> list[Workload]:
        """Return every workload, in the order in which they need each other."""
        found = [simulator_workload(self.simulator)] if self.simulator else []
        found += [redis_workload(self.redis)] if self.redis else []
        found += [redis_exporter_workload(self.redis_exporter)] if self.redis_exporter else []
        found += [litellm_workload(self.litellm), friday_workload(self.friday), edge_workload(self.edge)]
        return [*found, prometheus_workload(self.prometheus)]


def address(stack: str, engine: str, name: str) -> str:
    """Return the name under which a part is found on the stack's networks.

    A Swarm's services go by their own names, which all stacks of the Swarm share; containers have an alias.
    """
    return f"friday-{stack}-{name}" if engine == "swarm" else name


def replicas(name: str, engine: str) -> str:
    """Return the name that resolves to every replica: a Swarm may give the part's own name one virtual address."""
    return f"tasks.{name}" if engine == "swarm" else name


def declare(stack: str, settings: StackSettings, images: Mapping[str, str]) -> Declaration:
    """Return what the settings ask for; `images` are the local builds for parts whose image is not named."""
    at = {name: address(stack, settings.engine, name) for name in _NAMES}
    upstream = simulator_url(at[ALIAS]) if settings.upstream == "simulator" else OPENROUTER
    redis_host = at["redis"] if settings.litellm.replicas > 1 else None
    return Declaration(
        simulator=_simulator(settings, images) if settings.upstream == "simulator" else None,
        redis=_redis(settings, images) if redis_host else None,
        litellm=LitellmArgs(
            settings=settings.litellm,
            catalogue=settings.catalogue,
            router=settings.router,
            quota=settings.quota,
            image=settings.litellm.image or images["litellm"],
            upstream=upstream,
            openrouter_api_key=_plain(settings.openrouter_api_key),
            gateway_key=_plain(settings.gateway_key),
            edge_key=_plain(settings.edge_key),
            ops_key=_plain(settings.ops_key),
            redis_host=redis_host,
            redis_password=_plain(settings.redis_password) if redis_host else None,
        ),
        friday=FridayArgs(
            settings=settings.friday,
            image=settings.friday.image or images["friday"],
            reference=settings.friday.image is None,
            litellm_enabled=settings.litellm_enabled,
            percentage=settings.rollout_percentage,
            gateway_url=f"http://{at['edge']}:{GATEWAY_INTERNAL_PORT}",
            upstream=upstream,
            openrouter_api_key=_friday_key(settings),
            jwt_secret=_plain(settings.jwt_secret),
            secrets=settings.friday_secrets,
        ),
        edge=EdgeArgs(
            settings=settings.edge,
            image=settings.edge.image or images["edge"],
            edge_key=_plain(settings.edge_key),
            friday=settings.friday,
            litellm=settings.litellm,
            friday_host=replicas(at["friday"], settings.engine),
            litellm_host=replicas(at["litellm"], settings.engine),
        ),
        prometheus=_prometheus(settings, at, images),
        redis_exporter=_redis_exporter(settings, redis_host, images) if redis_host else None,
    )


def _simulator(settings: StackSettings, images: Mapping[str, str]) -> SimulatorArgs:
    return SimulatorArgs(
        settings=settings.simulator,
        quota=settings.quota,
        image=settings.simulator.image or images["simulator"],
        gateway_account_key=_plain(settings.openrouter_api_key),
        friday_account_key=_friday_key(settings),
    )


def _redis(settings: StackSettings, images: Mapping[str, str]) -> RedisArgs:
    return RedisArgs(settings.redis, settings.redis.image or images["redis"], _plain(settings.redis_password))


def _prometheus(settings: StackSettings, at: Mapping[str, str], images: Mapping[str, str]) -> PrometheusArgs:
    hosts = {name: replicas(host, settings.engine) for name, host in at.items()}
    # An image of one's own has metrics only when the settings say where.
    path = settings.friday.metrics_path if settings.friday.image else "/metrics"
    return PrometheusArgs(
        settings=settings.monitoring,
        image=settings.monitoring.image or images["prometheus"],
        ops_key=_plain(settings.ops_key),
        edge_host=hosts["edge"],
        litellm_host=hosts["litellm"],
        friday_host=hosts["friday"] if path else None,
        friday_path=path or "",
        redis_exporter_host=hosts["redis-exporter"] if settings.litellm.replicas > 1 else None,
        published=settings.monitoring_published,
    )


def _redis_exporter(settings: StackSettings, redis_host: str, images: Mapping[str, str]) -> RedisExporterArgs:
    exporter = settings.monitoring.redis_exporter
    image = exporter.image or images["redis-exporter"]
    return RedisExporterArgs(exporter, image, redis_host, _plain(settings.redis_password))


def _friday_key(settings: StackSettings) -> str:
    return _plain(settings.friday_openrouter_api_key or settings.openrouter_api_key)


def _plain(secret: SecretStr) -> str:
    return secret.get_secret_value()
