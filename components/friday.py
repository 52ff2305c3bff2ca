"""Friday: the replicas that users talk to, with the environment that Friday AI reads."""

from pydantic import SecretStr

from components.friday_environment import PORT, values
from components.part import Given, Part, secret_file
from components.probes import HealthProbe, client_of
from components.prometheus_config import Job
from components.workload import APP_NETWORK, FILES_DIR, FIRST_SHARES, File, Workload

NAME = "friday"


def _workload(given: Given) -> Workload:
    """Declare Friday's replicas.

    The reference Friday reads its secrets from files. The stock image knows environment variables only, which
    `docker inspect` shows to whoever may use the Docker socket.
    """
    settings = given.settings.friday
    reference = settings.image is None
    own = {name: value.get_secret_value() for name, value in given.settings.friday_secrets.items()}
    secrets = {**values(given, secret=True), **own}
    environment = {**settings.environment, **values(given, secret=False)}
    files: dict[str, File] = {}
    if reference:
        files = {f"secrets/{name.lower()}": secret_file(SecretStr(value)) for name, value in secrets.items()}
        environment |= {f"{name}_FILE": f"{FILES_DIR}/secrets/{name.lower()}" for name in secrets}
    return Workload(
        part=NAME,
        image=given.image(NAME, settings),
        command=("python3", "-m", "friday.service") if reference else (),
        networks=(APP_NETWORK,),
        probe=HealthProbe(
            port=PORT,
            path=settings.health_path,
            client=settings.probe_client or client_of(settings.image),
            interval_seconds=2,  # a new percentage is a new Friday, and the first probe comes one interval after start
            start_period_seconds=20,
        ),
        memory_mb=settings.memory_mb,
        user="10001:10001" if reference else "node",
        replicas=settings.replicas,
        env=environment,
        secret_env={} if reference else secrets,
        files=files,
        stop_grace_seconds=settings.stop_grace_seconds,
        read_only=reference,
        replaced_by_overlap=True,
        # Before the gateway: it is what answers users, by the direct path too, and a new one is waited for.
        cpu_shares=FIRST_SHARES,
    )


def _metrics(given: Given) -> Job | None:
    """Ask it at /metrics; an image of one's own has metrics only when the settings say where."""
    settings = given.settings.friday
    path = settings.metrics_path if settings.image else "/metrics"
    return Job(NAME, given.every_replica(NAME), PORT, path=path) if path else None


PART = Part(NAME, setting="friday", workload=_workload, metrics=_metrics)
