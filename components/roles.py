"""Roles: Friday's image at other work than answering users, each run once and replaced without two at a time."""

from dataclasses import replace

from components import friday
from components.part import Given
from components.settings.jobs import RoleSettings
from components.workload import USUAL_SHARES, Workload

_RUNS_SECONDS = 5
# A Swarm waits a minute for a task that is to stop, two seconds of it before the signal, and starts the next one then,
# whether the first has ended or not (swarmkit, manager/orchestrator/restart: defaultOldTaskTimeout).
_MOST_GRACE_IN_SWARM = 50


def workloads(given: Given) -> list[Workload]:
    """Declare the roles that the settings ask for."""
    roles = given.settings.friday.roles
    return [_workload(given, name, role) for name, role in sorted(roles.items())]


def _workload(given: Given, name: str, role: RoleSettings) -> Workload:
    """Declare a role, which has what Friday's replicas have, but for what it says itself.

    No edge is in front of it and nobody waits for its answer: so it is stopped before the next one starts.
    """
    web, in_swarm = friday.PART.workload(given), given.settings.engine == "swarm"
    port, path = (role.probe.port, role.probe.path) if role.probe else (0, web.probe.path)
    return replace(
        web,
        part=name,
        command=role.command or web.command,
        env={**web.env, **role.environment},
        secret_env={key: value for key, value in web.secret_env.items() if key not in role.environment},
        replicas=role.replicas,
        probe=replace(web.probe, port=port, path=path, interval_seconds=_RUNS_SECONDS),
        replaced_by_overlap=False,
        drained_at_edge=False,
        cpu_shares=USUAL_SHARES,
        volumes_of=web.part if web.volumes else "",
        stop_signal=given.settings.friday.stop_signal or "",  # at once: it has no running answers
        stop_grace_seconds=min(web.stop_grace_seconds, _MOST_GRACE_IN_SWARM) if in_swarm else web.stop_grace_seconds,
    )
