"""Every running container of a stack is confined, as the kernel and the engine say it; whichever parts there are."""

import json

import pytest

from testing.confinement import STATUS, Confined
from testing.project import Project

pytestmark = [pytest.mark.engine, pytest.mark.beside]


def test_no_process_of_any_part_can_gain_anything(project: Project) -> None:
    found = {str(each.name): Confined().problems(project.shell_in(each, STATUS)) for each in project.containers()}
    declared = json.loads(project.pulumi("stack", "output", "instances", "--json", "-s", project.stack).out)
    assert found.keys() == {name for names in declared.values() for name in names}
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_only_memory_and_declared_volumes_can_be_written_to(project: Project) -> None:
    for container in project.containers():
        mounts = [line.split() for line in project.shell_in(container, "cat /proc/mounts").splitlines()]
        by_path = {path: options.split(",") for _, path, _, options, *_ in mounts}
        assert "ro" in by_path["/"], container.name
        assert {"rw", "noexec", "nosuid"} <= set(by_path["/tmp"]), container.name  # noqa: S108 - the container's own
        assert {each["Type"] for each in container.attrs["Mounts"]} <= {"volume"}, container.name  # none of the host's
