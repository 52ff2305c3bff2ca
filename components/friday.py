"""Friday: the replicas that users talk to, with the environment that Friday AI reads."""

from components import edge, egress
from components.friday_environment import PORT, VARIABLES
from components.part import Given, Job, Part, secret_files
from components.probes import HealthProbe, ProbeClient
from components.settings.container import USUAL_TMPFS_MB
from components.workload import APP_NETWORK, FIRST_SHARES, Workload

NAME = "friday"
DRAIN_SECONDS = 2
SIGNAL_OF_NOTHING = "SIGWINCH"
"""A terminal's window has changed: no program without a terminal does anything about it."""
# Of the reference Friday, which listens within a second or two; an image of others gets what a large one needs.
_START_SECONDS, _OTHERS_START_SECONDS = 20, 60
_OTHERS_USER = "1000:1000"
"""`node` of Node's own images; by number it keeps its folders in memory when its container starts again."""


def _workload(given: Given) -> Workload:
    """Declare Friday's replicas.

    The reference Friday reads its secrets from files. The stock image knows environment variables only, which
    `docker inspect` shows to whoever may use the Docker socket.
    """
    settings = given.settings.friday
    reference = settings.image is None
    values = _values(given)
    secrets = {variable.name: values.pop(variable.name) for variable in VARIABLES if variable.secret}
    secrets |= {name: value.get_secret_value() for name, value in given.settings.friday_secrets.items()}
    files, in_files = secret_files(secrets if reference else {})
    client = settings.probe_client or (ProbeClient.BASH if reference else ProbeClient.NODE)
    return Workload(
        part=NAME,
        image=given.image(NAME, settings),
        command=settings.command or (("python3", "-m", "friday.service") if reference else ()),
        networks=(APP_NETWORK,),
        probe=HealthProbe(
            port=PORT,
            path=settings.health_path,
            client=client,
            # A new percentage is a new Friday, and without a start interval the first probe comes one interval later.
            interval_seconds=5 if client in (ProbeClient.NODE, ProbeClient.WGET) else 2,
            start_period_seconds=settings.start_seconds or (_START_SECONDS if reference else _OTHERS_START_SECONDS),
            headers=settings.probe_headers,
        ),
        memory_mb=settings.memory_mb,
        user=settings.user or ("10001:10001" if reference else _OTHERS_USER),
        replicas=settings.replicas,
        env={**egress.environment(given), **settings.environment, **values, **in_files},
        secret_env={} if reference else secrets,
        files={**files, **egress.files(given)},
        stop_grace_seconds=settings.stop_grace_seconds,
        read_only=reference,
        replaced_by_overlap=True,
        drained_at_edge=not reference,
        # Before the gateway: it is what answers users, by the direct path too, and a new one is waited for.
        cpu_shares=FIRST_SHARES,
        tmpfs={each.path: each.size_mb or USUAL_TMPFS_MB for each in settings.writable if each.kind == "tmpfs"},
        volumes={each.path: each.volume_name for each in settings.writable if each.kind == "volume"},
        outer_networks=settings.networks,
        stop_signal=settings.stop_signal or _usual_signal(given),
    )


def _usual_signal(given: Given) -> str:
    """Return the stop signal where the settings name none; "" is the image's own.

    A Swarm stops an old replica two seconds after it has taken it from its name, whatever still runs there, and nobody
    can step in between. So an image of others gets a signal that does nothing: it runs until the grace time is over.
    """
    return SIGNAL_OF_NOTHING if given.settings.engine == "swarm" and given.settings.friday.image else ""


def _values(given: Given) -> dict[str, str]:
    """Return what the stack sets of `friday_environment.VARIABLES`."""
    settings = given.settings
    policy = settings.data_policy
    compares = settings.compare_testers and settings.testers
    demands = {"OPENROUTER_DATA_COLLECTION": policy.data_collection} if policy.data_collection else {}
    return {
        **demands,
        **({"OPENROUTER_ZDR": "true"} if policy.zdr else {}),
        "ENABLE_LITELLM": "true" if settings.litellm_enabled else "false",
        "LITELLM_ROLLOUT_PERCENTAGE": str(settings.rollout_percentage),
        **({"LITELLM_TESTERS": ",".join(map(str, settings.testers))} if settings.testers else {}),
        **({"LITELLM_COMPARE_TESTERS": "true"} if compares else {}),
        "LITELLM_BASE_URL": f"http://{given.host(edge.NAME)}:{edge.GATEWAY_INTERNAL_PORT}",
        "OPENROUTER_API_KEY": given.friday_key.get_secret_value(),
        "OPENROUTER_MODEL": settings.friday.direct_model,
        "OPENROUTER_BASE_URL": given.upstream,
        "PORT": str(PORT),
        "JWT_SECRET": settings.jwt_secret.get_secret_value(),
        "DRAIN_SECONDS": str(DRAIN_SECONDS),
        "GRACE_SECONDS": str(settings.friday.stop_grace_seconds - DRAIN_SECONDS),
    }


def _metrics(given: Given) -> Job | None:
    """Ask it at /metrics; an image of one's own has metrics only when the settings say where."""
    settings = given.settings.friday
    path = settings.metrics_path if settings.image else "/metrics"
    return Job(NAME, given.every_replica(NAME), PORT, path=path) if path else None


PART = Part(NAME, setting="friday", workload=_workload, metrics=_metrics)
