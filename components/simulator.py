"""The OpenRouter simulator: what stands in for the internet in the local stack."""

from components.free_models import SIMULATOR_HOST
from components.part import Given, Part, secret_file
from components.probes import HealthProbe, client_of
from components.workload import APP_NETWORK, FILES_DIR, GATEWAY_NETWORK, Port, Workload

NAME = "simulator"
PORT = 8080
_ACCOUNTS = "secrets/accounts"


def _workload(given: Given) -> Workload:
    """Declare the simulator, on both networks, as the internet would be; it plays an account for each key."""
    settings, quota = given.settings.simulator, given.settings.quota
    keys = {"gateway": given.settings.openrouter_api_key, "friday-direct": given.friday_key}
    accounts = "\n".join(f"{key.get_secret_value()} {account}" for account, key in keys.items())
    return Workload(
        part=NAME,
        image=given.image(NAME, settings),
        command=("python3", "-m", "simulator"),
        networks=(APP_NETWORK, GATEWAY_NETWORK),
        alias=SIMULATOR_HOST,
        probe=HealthProbe(port=PORT, client=client_of(settings.image)),
        memory_mb=settings.memory_mb,
        user="10001:10001",
        env={
            "SIMULATOR_API_KEYS_FILE": f"{FILES_DIR}/{_ACCOUNTS}",
            "SIMULATOR_RPM": str(quota.requests_per_minute),
            "SIMULATOR_RPD": str(quota.requests_per_day),
            "SIMULATOR_LATENCY_MS": str(settings.latency_ms),
        },
        files={_ACCOUNTS: secret_file(accounts)},
        ports=(Port(host=settings.port, container=PORT),),
    )


PART = Part(NAME, setting="simulator", workload=_workload, joins=lambda settings: settings.upstream == "simulator")
