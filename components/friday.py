"""Friday: the replicas that users talk to, with the environment contract that Friday AI reads."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pydantic import SecretStr

from components.container_engine import Engine
from components.host import APP_NETWORK
from components.part import Part, secret_file
from components.probes import HealthProbe, client_of
from components.settings import FridaySettings
from components.workload import FILES_DIR, FIRST_SHARES, File, Workload

PORT = 3000
DRAIN_SECONDS = 2


@dataclass(frozen=True)
class FridayArgs:
    """What Friday is made of; `percentage` (0-100) is the share of users whose calls go through the gateway."""

    settings: FridaySettings
    image: str
    reference: bool
    litellm_enabled: bool
    percentage: int
    gateway_url: str
    upstream: str
    openrouter_api_key: str
    jwt_secret: str
    secrets: Mapping[str, SecretStr]


class Friday(Part):
    """Produces Friday's replicas."""

    def __init__(self, args: FridayArgs, engine: Engine, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(friday_workload(args), engine, opts)


def probe(settings: FridaySettings) -> HealthProbe:
    """Return Friday's health probe."""
    return HealthProbe(
        port=PORT,
        path=settings.health_path,
        client=settings.probe_client or client_of(settings.image),
        interval_seconds=2,  # a new percentage is a new Friday, and the first probe comes one interval after the start
        start_period_seconds=20,
    )


def friday_workload(args: FridayArgs) -> Workload:
    """Declare Friday's replicas.

    The reference Friday reads its secrets from files. The stock image knows environment variables only, which
    `docker inspect` shows to whoever may use the Docker socket.
    """
    secrets = {
        "OPENROUTER_API_KEY": args.openrouter_api_key,
        "JWT_SECRET": args.jwt_secret,
        **{name: value.get_secret_value() for name, value in args.secrets.items()},
    }
    environment = _environment(args)
    files: dict[str, File] = {}
    if args.reference:
        files = {f"secrets/{name.lower()}": secret_file(value) for name, value in secrets.items()}
        environment |= {f"{name}_FILE": f"{FILES_DIR}/secrets/{name.lower()}" for name in secrets}
    return Workload(
        part="friday",
        image=args.image,
        command=("python3", "-m", "friday.service") if args.reference else (),
        networks=(APP_NETWORK,),
        probe=probe(args.settings),
        memory_mb=args.settings.memory_mb,
        user="10001:10001" if args.reference else "node",
        replicas=args.settings.replicas,
        env=environment,
        secret_env={} if args.reference else secrets,
        files=files,
        stop_grace_seconds=args.settings.stop_grace_seconds,
        read_only=args.reference,
        replaced_by_overlap=True,
        # Before the gateway: it is what answers users, by the direct path too, and a new one is waited for.
        cpu_shares=FIRST_SHARES,
    )


def _environment(args: FridayArgs) -> dict[str, str]:
    """Return Friday AI's variables (README of TekupDK/friday-ai); DRAIN_ and GRACE_SECONDS are the reference's."""
    return {
        **args.settings.environment,
        "ENABLE_LITELLM": "true" if args.litellm_enabled else "false",
        "LITELLM_ROLLOUT_PERCENTAGE": str(args.percentage),
        "LITELLM_BASE_URL": args.gateway_url,
        "OPENROUTER_MODEL": args.settings.direct_model,
        "OPENROUTER_BASE_URL": args.upstream,
        "PORT": str(PORT),
        "DRAIN_SECONDS": str(DRAIN_SECONDS),
        "GRACE_SECONDS": str(args.settings.stop_grace_seconds - DRAIN_SECONDS),
    }
