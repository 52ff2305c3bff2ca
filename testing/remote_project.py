"""A checkout whose stack runs on the hosts of a rig."""

from pathlib import Path

from testing.project import ROOT, Project
from testing.rig import Rig

ELSEWHERE = {"image": "registry.example/of-the-team:1"}
"""A part's settings that take its image out of what is built, and pushed, here."""


def build_the_edge_alone(project: Project) -> None:
    """Let its settings name images of others for every part but the edge: that one alone is built, and pushed, here."""
    for part in ("friday", "litellm", "redis", "simulator", "monitoring"):
        project.configure({part: {**project.settings.get(part, {}), **ELSEWHERE}})
    alerts = {**project.settings["monitoring"]["alerts"], **ELSEWHERE}
    monitoring = {**project.settings["monitoring"], "redisExporter": ELSEWHERE, "alerts": alerts}
    project.configure({"monitoring": monitoring})


def create(folder: Path, made: Rig, source: Path = ROOT) -> Project:
    """Return a project set to deploy to a rig over ssh: its containers are looked for on the first host.

    It is a copy of the checkout `source`. Users reach the edge at each host's own address, and nothing else of the
    stack.
    """
    first, *others = made.hosts
    project = Project.create(folder, source)
    project.address, project.engine = first.address, first.engine
    project.configure(
        {
            "dockerHost": first.url,
            "ssh": first.ssh_settings,
            "edge": {**project.settings["edge"], "bindAddress": "0.0.0.0", "port": made.port},  # noqa: S104
        }
    )
    if others:
        project.configure({"engine": "swarm", "swarmHosts": [host.url for host in others]})
    return project
