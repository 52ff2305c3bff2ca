"""A stack that runs as prod does: on a Swarm of three hosts of a rig, over ssh. Tests and benchmarks share it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testing import remote_project
from testing.meanwhile import timed
from testing.nested_host import NestedHost
from testing.project import Project
from testing.rig import Rig


@dataclass(frozen=True)
class SwarmStack:
    """The rig and the project; users, and `fridayctl`, go to the first host."""

    made: Rig
    project: Project

    @property
    def first(self) -> NestedHost:
        """The host that users reach."""
        return self.made.hosts[0]

    def bring_up(self) -> float:
        """Bring the stack to what its file says; the seconds that the command took."""
        return timed(lambda: self.project.fridayctl("up", self.project.stack))

    def services(self) -> dict[str, Any]:
        """Return the stack's services by their parts, as the Swarm inspects them."""
        label = f"friday-litellm.stack={self.project.stack}"
        found = self._api.services(filters={"label": label})
        return {each["Spec"]["Labels"]["friday-litellm.part"]: each for each in found}

    def running(self, part: str) -> dict[str, str]:
        """Return the tasks of a part that run and are to run: the names of their hosts by the tasks' ids."""
        service = self.services().get(part)
        if service is None:
            return {}
        nodes = {each["ID"]: each["Description"]["Hostname"] for each in self._api.nodes()}
        tasks = self._api.tasks(filters={"service": service["ID"], "desired-state": "running"})
        return {each["ID"]: nodes[each["NodeID"]] for each in tasks if each["Status"]["State"] == "running"}

    def spare(self) -> NestedHost:
        """Return a host that may be taken away: users do not come by it, and the models' stand-in is not on it."""
        taken = {self.first.name, *self.running("simulator").values()}
        return next(host for host in reversed(self.made.hosts) if host.name not in taken)

    def is_whole_without(self, host: NestedHost) -> bool:
        """Return whether every part runs in its number on the other hosts."""
        return self._is_whole_on({each.name for each in self.made.hosts} - {host.name})

    def is_whole(self) -> bool:
        """Return whether every host takes part, and every part runs in its number."""
        hosts = {each["Description"]["Hostname"] for each in self._api.nodes() if each["Status"]["State"] == "ready"}
        return len(hosts) == len(self.made.hosts) and self._is_whole_on(hosts)

    def _is_whole_on(self, hosts: set[str]) -> bool:
        for part, service in self.services().items():
            replicated = service["Spec"]["Mode"].get("Replicated")
            running = list(self.running(part).values())
            if len(running) != (replicated["Replicas"] if replicated else len(hosts)) or not hosts.issuperset(running):
                return False
        return True

    def docker(self, *command: str) -> str:
        """Run a docker command at the first manager, behind Pulumi's back."""
        return self.first.run("docker", *command)

    @property
    def _api(self) -> Any:
        return self.project.engine.api


def swarm_stack(folder: Path, made: Rig) -> SwarmStack:
    """Make one Swarm of all hosts of a rig, and a stack on it that is up; all of it goes with its hosts."""
    made.form_swarm()
    project = remote_project.create(folder, made)
    project.configure({"friday": {**project.settings["friday"], "replicas": 3}})
    project.configure({"litellm": {**project.settings["litellm"], "replicas": 2}})
    project.fridayctl("setup", seconds=1800)
    project.fridayctl("images", "push", project.stack)
    stage = SwarmStack(made, project)
    stage.bring_up()
    return stage
