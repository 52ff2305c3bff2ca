"""`down` leaves nothing, and `up` in the same place starts again from nothing."""

from pathlib import Path

import pytest

from testing.project import Project

pytestmark = pytest.mark.engine


def test_down_leaves_no_container_network_or_volume(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    try:
        volumes = {volume.id for volume in project.engine.volumes.list()}
        project.fridayctl("up", project.stack)
        assert project.volumes() != []
        project.fridayctl("down", project.stack, "--yes")
        assert project.everything() == []
        assert project.networks() == []
        assert project.volumes() == []
        assert {volume.id for volume in project.engine.volumes.list()} <= volumes
        assert "not deployed" in project.fridayctl("status", project.stack, code=1).out
    finally:
        project.remove()
