"""A compose service as a stack file: everything placed, or named with the reason."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from components.settings.source import NAMESPACE
from ops.compose.connections import place_connections
from ops.compose.container import place_container
from ops.compose.environment import place_environment
from ops.compose.pick import friday_of
from ops.compose.placement import NotPlaced, Placement
from ops.compose.project import Project

# Keys that other modules place, or that say nothing of what runs in a stack.
_PLACED = """
    image build command entrypoint user deploy scale mem_limit cpus cpu_quota volumes tmpfs stop_signal
    stop_grace_period healthcheck ports networks network_mode environment env_file labels extends
"""
_NOTHING_TO_PLACE = """
    container_name hostname restart init profiles expose pull_policy logging depends_on platform attach annotations
    label_file develop cap_drop security_opt read_only stdin_open tty mem_reservation memswap_limit mem_swappiness
    oom_kill_disable oom_score_adj cpu_shares cpu_percent cpu_count cpu_period cpu_rt_period cpu_rt_runtime cpuset
    domainname isolation runtime uts userns_mode ipc pid blkio_config provider
"""
_KNOWN = frozenset(f"{_PLACED} {_NOTHING_TO_PLACE}".split())
_IMAGE = "put it into the image"
_WHY = {
    "secrets": (
        "the app gets secrets as variables, not as files below /run/secrets",
        "where it reads NAME too: pulumi config set --secret --path fridaySecrets.NAME",
    ),
    "configs": ("no files are mounted", "put the files into the image, or give their values as variables"),
    "extra_hosts": ("the stack adds no names", "let the app ask an address, or a name of the host's name server"),
    "dns": ("the engine's own name server is asked", "set it in the engine (daemon.json)"),
    "working_dir": ("the image's own is taken", f"{_IMAGE} (WORKDIR)"),
    "privileged": ("Friday has no capabilities", "nothing, if the app works without"),
    "cap_add": ("Friday has no capabilities", "nothing, if the app works without"),
    "devices": ("Friday has no devices", "nothing, if the app works without"),
    "links": ("replicas find others by their networks", "friday.networks"),
    "volumes_from": ("no volumes of other containers are mounted", "friday.writable"),
    "models": ("the stack's own models are free ones of OpenRouter", "nothing, if the app asks OpenRouter"),
}
_OTHER = ("the stack has no setting for it", "nothing, if the app works without")


@dataclass(frozen=True)
class Adoption:
    """What `adopt` found: plain settings and secrets of the stack file, and what is left to people."""

    service: str
    project: str
    settings: dict[str, Any]
    secrets: dict[str, str]
    managed: tuple[str, ...]
    not_placed: tuple[NotPlaced, ...]
    others: tuple[str, ...]
    hints: tuple[str, ...]

    def document(self) -> str:
        """Return the stack file's plain part."""
        head = (
            f"# Made by ./fridayctl adopt of the service {self.service}.\n"
            "# What each setting means: docs/SETTINGS.md; what comes next: docs/YOUR_FRIDAY.md.\nconfig:\n"
        )
        blocks = []
        for key, value in self.settings.items():
            block = yaml.safe_dump({f"{NAMESPACE}:{key}": value}, sort_keys=False, allow_unicode=True, width=4096)
            lines = [f"  {line}" for line in block.splitlines()]
            if comment := _COMMENTS.get(key):
                lines.insert(0, f"  # {comment}")
            blocks.append("\n".join(lines))
        return head + "\n".join(blocks) + "\n"


_COMMENTS = {
    "upstream": "`simulator` stands in for OpenRouter and takes an image without a digest: to try the stack out.",
    "rolloutPercentage": "Nobody goes through LiteLLM yet: as it was before.",
    "edge": "Where users reach Friday; the edge hands requests to the replicas.",
}


def adopted(path: Path, env_file: Path | None, wanted: str, shell: Mapping[str, str]) -> Adoption:
    """Read a compose file and place its Friday; OperationError (exit code 2) when it cannot be read or understood.

    `wanted` names the service, "" finds it; `shell` is the environment in which compose would run.
    """
    project = Project.read(path, env_file, shell)
    service = project.service(friday_of(project, wanted))
    placement = Placement(service)
    place_environment(placement)
    place_container(placement, project)
    place_connections(placement, project)
    for key in service.body:
        if key not in _KNOWN and not key.startswith("x-"):
            placement.leave(key, *_WHY.get(key, _OTHER))
    for name in project.not_read:
        fix = f"docker compose -f {shlex.quote(path.name)} -f … config > merged.yml, and adopt that"
        placement.not_placed.insert(0, NotPlaced(name, path.name, "compose reads it too, and adopt does not", fix))
    settings = {"engine": "container", "upstream": "openrouter", "rolloutPercentage": 0}
    if placement.edge:
        settings |= {"edge": _without_clash(placement.edge)}
    settings |= {"friday": _in_order(placement.friday)}
    if placement.edge.get("port") in (_MONITORING, _ALERTS):
        settings |= {"monitoring": {"port": _MONITORING + 1}}
    others = tuple(name for name in project.document["services"] if name != service.name)
    return Adoption(
        service.name,
        project.name,
        settings,
        placement.secrets,
        tuple(sorted(placement.managed)),
        tuple(placement.not_placed),
        others,
        tuple(_hints(placement)),
    )


# The defaults of edge.gatewayPort and monitoring.port, and of monitoring.alerts.port, which moves with the second.
_GATEWAY, _MONITORING, _ALERTS = 4000, 9090, 9093
_ORDER = "image command user replicas memoryMb healthPath probeHeaders startSeconds writable networks"


def _without_clash(edge: dict[str, Any]) -> dict[str, Any]:
    return edge | ({"gatewayPort": _GATEWAY + 1} if edge.get("port") == _GATEWAY else {})


def _in_order(friday: dict[str, Any]) -> dict[str, Any]:
    """Return Friday's settings in the order in which people read them: the image first, variables last."""
    first = [key for key in _ORDER.split() if key in friday]
    rest = [key for key in friday if key not in first and key != "environment"]
    return {key: friday[key] for key in [*first, *rest, "environment"] if key in friday}


def _hints(placement: Placement) -> list[str]:
    environment = placement.service.environment
    found = []
    if environment.get("FORCE_MODEL_ROUTING", "").lower() != "true":
        found.append(
            "FORCE_MODEL_ROUTING is not true: Friday AI obeys the percentage only with it "
            "(docs/YOUR_FRIDAY.md says what it changes besides)"
        )
    if environment.get("NODE_ENV") == "production" and "probeHeaders" not in placement.friday:
        found.append(
            "NODE_ENV is production: Friday AI then answers 500 to requests without an Origin, the health checks "
            "among them; friday.probeHeaders gives them one"
        )
    return found
