"""The edge: HAProxy in front of Friday and of the gateway. It owns the host ports and the gateway's switch."""

from components import edge_config, friday, litellm
from components.edge_config import EdgeConfig
from components.part import Given, Job, Part
from components.probes import HealthProbe, ProbeClient
from components.workload import APP_NETWORK, FILES_DIR, FIRST_SHARES, GATEWAY_NETWORK, File, Port, Workload

NAME = "edge"


def _workload(given: Given) -> Workload:
    """Declare the edge; of Friday and LiteLLM it knows where they are, how many, and how they show their health."""
    settings = given.settings.edge
    config = EdgeConfig(
        friday_host=given.every_replica(friday.NAME),
        litellm_host=given.every_replica(litellm.NAME),
        friday_replicas=given.settings.friday.replicas,
        litellm_replicas=given.settings.litellm.replicas,
        edge_key=given.settings.edge_key,
        friday_health_path=given.settings.friday.health_path,
    )
    return Workload(
        part=NAME,
        image=given.image(NAME, settings),
        command=("haproxy", "-W", "-db", "-f", f"{FILES_DIR}/haproxy.cfg"),
        networks=(APP_NETWORK, GATEWAY_NETWORK),
        probe=HealthProbe(port=edge_config.OPERATIONS_PORT, client=ProbeClient.BASH, interval_seconds=2),
        memory_mb=settings.memory_mb,
        user="haproxy",
        files={"haproxy.cfg": File(config.render(), secret=True)},
        ports=(
            Port(settings.port, edge_config.USERS_PORT, settings.bind_address),
            # Never on another address: whoever reaches this port may try keys.
            Port(settings.gateway_port, edge_config.GATEWAY_HOST_PORT),
        ),
        on_every_host=True,
        cpu_shares=FIRST_SHARES,  # needs little, and every request waits for it
    )


PART = Part(
    NAME,
    setting="edge",
    workload=_workload,
    metrics=lambda given: Job(NAME, given.every_replica(NAME), edge_config.OPERATIONS_PORT),
    # Made last: when the replicas behind it do not get healthy, the edge that serves stays.
    after=(friday.NAME, litellm.NAME),
)
