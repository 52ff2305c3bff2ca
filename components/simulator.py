"""The OpenRouter simulator: what stands in for the internet in the local stack."""

from dataclasses import dataclass

import pulumi

from components.container_engine import Engine
from components.host import APP_NETWORK, GATEWAY_NETWORK
from components.part import Part, secret_file
from components.probes import HealthProbe, client_of
from components.settings import QuotaSettings, SimulatorSettings
from components.workload import FILES_DIR, Port, Workload

ALIAS = "openrouter"
PORT = 8080


@dataclass(frozen=True)
class SimulatorArgs:
    """What the simulator plays: accounts by key, and their limits."""

    settings: SimulatorSettings
    quota: QuotaSettings
    image: str
    gateway_account_key: str
    friday_account_key: str


class Simulator(Part):
    """Produces one simulator container, on both networks, as the internet would be."""

    def __init__(self, args: SimulatorArgs, engine: Engine, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(simulator_workload(args), engine, opts)


def simulator_workload(args: SimulatorArgs) -> Workload:
    """Declare the simulator."""
    accounts = f"{args.gateway_account_key} gateway\n{args.friday_account_key} friday-direct"
    return Workload(
        part="simulator",
        image=args.image,
        command=("python3", "-m", "simulator"),
        networks=(APP_NETWORK, GATEWAY_NETWORK),
        alias=ALIAS,
        probe=HealthProbe(port=PORT, client=client_of(args.settings.image)),
        memory_mb=args.settings.memory_mb,
        user="10001:10001",
        env={
            "SIMULATOR_API_KEYS_FILE": f"{FILES_DIR}/secrets/accounts",
            "SIMULATOR_RPM": str(args.quota.requests_per_minute),
            "SIMULATOR_RPD": str(args.quota.requests_per_day),
            "SIMULATOR_LATENCY_MS": str(args.settings.latency_ms),
        },
        files={"secrets/accounts": secret_file(accounts)},
        ports=(Port(host=args.settings.port, container=PORT),),
    )
