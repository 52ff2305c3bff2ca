"""`down` leaves nothing, and `up` in the same place starts again from nothing."""

from pathlib import Path

import pytest

from testing.project import Project

pytestmark = [pytest.mark.engine, pytest.mark.beside]


def test_down_leaves_no_container_network_or_volume(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    try:
        project.fridayctl("up", project.stack)
        assert project.volumes() != []
        mounts = [mount for container in project.everything() for mount in container.attrs["Mounts"]]
        # Those without a name of ours too, which a container brings along.
        volumes = {mount["Name"] for mount in mounts if mount["Type"] == "volume"}
        assert len(volumes) > len(project.volumes())
        project.fridayctl("down", project.stack, "--yes")
        assert project.everything() == []
        assert project.networks() == []
        assert project.volumes() == []
        assert not volumes & {volume.name for volume in project.engine.volumes.list()}
        assert "not deployed" in project.fridayctl("status", project.stack, code=1).out
    finally:
        project.remove()
