"""The LiteLLM gateway: replicas that serve only the free models of the catalogue."""

from dataclasses import dataclass

import pulumi

from components.container_engine import Engine
from components.free_models import Catalogue, RouterTuning, render_litellm_config
from components.host import GATEWAY_NETWORK
from components.part import Part, package_files, secret_file
from components.probes import HealthProbe, client_of
from components.settings import LitellmSettings, QuotaSettings
from components.workload import FILES_DIR, File, Workload

PORT = 4000
DRAIN_SECONDS = 2


@dataclass(frozen=True)
class LitellmArgs:
    """What the gateway is made of; `upstream` is OpenRouter's base URL or the simulator's."""

    settings: LitellmSettings
    catalogue: Catalogue
    router: RouterTuning
    quota: QuotaSettings
    image: str
    upstream: str
    openrouter_api_key: str
    gateway_key: str
    edge_key: str
    ops_key: str
    redis_host: str | None
    redis_password: str | None


class Litellm(Part):
    """Produces the LiteLLM replicas, each with its config, its guard and its keys as files."""

    def __init__(self, args: LitellmArgs, engine: Engine, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(litellm_workload(args), engine, opts)


def probe(settings: LitellmSettings) -> HealthProbe:
    """Return LiteLLM's liveness: unlike its /health it calls no model and so eats no quota."""
    return HealthProbe(port=PORT, path="/health/liveliness", client=client_of(settings.image), start_period_seconds=90)


def requests_per_minute(quota: QuotaSettings) -> int:
    """Return the gateway's own limit in requests a minute: a tenth below the account's.

    The rest is for Friday's direct path and for requests that OpenRouter counts and the gateway does not.
    """
    return max(1, quota.requests_per_minute * 9 // 10)


def litellm_workload(args: LitellmArgs) -> Workload:
    """Declare the gateway's replicas."""
    secrets = {
        "openrouter_api_key": args.openrouter_api_key,
        "gateway_key": args.gateway_key,
        "edge_key": args.edge_key,
        "ops_key": args.ops_key,
    }
    if args.redis_password:
        secrets["redis_password"] = args.redis_password
    config = render_litellm_config(
        args.catalogue, args.router, upstream=args.upstream, shared_state=args.redis_password is not None
    )
    return Workload(
        part="litellm",
        image=args.image,
        command=("python3", "-m", "gateway.serve"),
        networks=(GATEWAY_NETWORK,),
        probe=probe(args.settings),
        memory_mb=args.settings.memory_mb,
        user="10001:10001",
        replicas=args.settings.replicas,
        env=_environment(args),
        files={
            "config.yaml": File(config),
            **package_files("gateway", "serving"),
            **{f"secrets/{name}": secret_file(value) for name, value in secrets.items()},
        },
        stop_grace_seconds=args.settings.stop_grace_seconds,
        replaced_by_overlap=True,
    )


def _environment(args: LitellmArgs) -> dict[str, str]:
    environment = {
        "PYTHONPATH": FILES_DIR,
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LITELLM_CONFIG": f"{FILES_DIR}/config.yaml",
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_LOG": "ERROR",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "NO_DOCS": "True",
        "NO_REDOC": "True",
        "NO_OPENAPI": "True",
        "DISABLE_ADMIN_UI": "True",
        "OPENROUTER_API_BASE": args.upstream,
        "OPENROUTER_API_KEY_FILE": f"{FILES_DIR}/secrets/openrouter_api_key",
        "GATEWAY_KEY_FILE": f"{FILES_DIR}/secrets/gateway_key",
        "EDGE_KEY_FILE": f"{FILES_DIR}/secrets/edge_key",
        "OPS_KEY_FILE": f"{FILES_DIR}/secrets/ops_key",
        "GATEWAY_RPM": str(requests_per_minute(args.quota)),
        "GATEWAY_REPLICAS": str(args.settings.replicas),
        "DRAIN_SECONDS": str(DRAIN_SECONDS),
        "GRACE_SECONDS": str(args.settings.stop_grace_seconds - DRAIN_SECONDS),
    }
    if args.redis_host:
        environment |= {
            "REDIS_HOST": args.redis_host,
            "REDIS_PORT": "6379",
            "REDIS_PASSWORD_FILE": f"{FILES_DIR}/secrets/redis_password",
        }
    return environment
