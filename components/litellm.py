"""The LiteLLM gateway: replicas that serve only the free models of the catalogue."""

from components import egress, redis
from components.free_models import render_litellm_config
from components.part import Given, Job, Part, package_files, secret_files
from components.probes import HealthProbe, client_of
from components.workload import FILES_DIR, GATEWAY_NETWORK, File, Workload

NAME = "litellm"
PORT = 4000
DRAIN_SECONDS = 2
OPS_KEY = "secrets/ops_key"
"""The file of the key that its metrics ask for, below the files' folder of whoever shows it."""


def _workload(given: Given) -> Workload:
    """Declare the gateway's replicas, each with its config, its guard and its keys as files."""
    settings = given.settings.litellm
    secrets = {
        "OPENROUTER_API_KEY": given.settings.openrouter_api_key,
        "GATEWAY_KEY": given.settings.gateway_key,
        "EDGE_KEY": given.settings.edge_key,
        "OPS_KEY": given.settings.ops_key,
    }
    if redis.joins(given.settings):
        secrets["REDIS_PASSWORD"] = given.settings.redis_password
    files, in_files = secret_files({name: value.get_secret_value() for name, value in secrets.items()})
    config = render_litellm_config(given.settings, given.settings.router, upstream=given.upstream)
    return Workload(
        part=NAME,
        image=given.image(NAME, settings),
        command=("python3", "-m", "gateway.serve"),
        networks=(GATEWAY_NETWORK,),
        # Its liveness: unlike its /health it calls no model and so eats no quota.
        probe=HealthProbe(
            port=PORT, path="/health/liveliness", client=client_of(settings.image), start_period_seconds=90
        ),
        memory_mb=settings.memory_mb,
        user="10001:10001",
        replicas=settings.replicas,
        env={**_environment(given), **egress.environment(given), **in_files},
        files={"config.yaml": File(config), **package_files("gateway", "serving"), **files, **egress.files(given)},
        stop_grace_seconds=settings.stop_grace_seconds,
        replaced_by_overlap=True,
    )


def _environment(given: Given) -> dict[str, str]:
    settings = given.settings.litellm
    environment = {
        "PYTHONPATH": FILES_DIR,
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LITELLM_CONFIG": f"{FILES_DIR}/config.yaml",
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_LOG": "ERROR",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "OPENROUTER_API_BASE": given.upstream,
        # A tenth below the account's limit: the rest is for Friday's direct path and for requests that OpenRouter
        # counts and the gateway does not.
        "GATEWAY_RPM": str(max(1, given.settings.quota.requests_per_minute * 9 // 10)),
        "GATEWAY_REPLICAS": str(settings.replicas),
        "DRAIN_SECONDS": str(DRAIN_SECONDS),
        "GRACE_SECONDS": str(settings.stop_grace_seconds - DRAIN_SECONDS),
    }
    if redis.joins(given.settings):
        environment |= {"REDIS_HOST": given.host(redis.NAME), "REDIS_PORT": str(redis.PORT)}
    return environment


PART = Part(
    NAME,
    setting="litellm",
    workload=_workload,
    metrics=lambda given: Job(NAME, given.every_replica(NAME), PORT, bearer_file=f"{FILES_DIR}/{OPS_KEY}"),
)
