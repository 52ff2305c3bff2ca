"""Roles: Friday's image at other work than answering users, each run once and replaced without two at a time."""

from dataclasses import replace

from components import friday
from components.part import Given
from components.settings.jobs import RoleSettings
from components.workload import USUAL_SHARES, Workload

_RUNS_SECONDS = 5


def workloads(given: Given) -> list[Workload]:
    """Declare the roles that the settings ask for."""
    roles = given.settings.friday.roles
    return [_workload(friday.PART.workload(given), name, role) for name, role in sorted(roles.items())]


def _workload(web: Workload, name: str, role: RoleSettings) -> Workload:
    """Declare a role, which has what Friday's replicas (`web`) have, but for what it says itself.

    No edge is in front of it and nobody waits for its answer: so it is stopped before the next one starts.
    """
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
    )
