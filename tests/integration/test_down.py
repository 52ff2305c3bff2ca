"""`down` leaves nothing, and `up` in the same place starts again from nothing."""

from pathlib import Path

import pytest

from testing.project import Project

pytestmark = [pytest.mark.engine, pytest.mark.beside]


def test_down_leaves_no_container_network_or_volume_also_by_another_operators_way(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    first, second = _two_ways(project, tmp_path)
    project.configure({"dockerHost": f"unix://{first}"})
    try:
        project.fridayctl("up", project.stack)
        assert project.volumes() != []
        mounts = [mount for container in project.everything() for mount in container.attrs["Mounts"]]
        # Those without a name of ours too, which a container brings along.
        volumes = {mount["Name"] for mount in mounts if mount["Type"] == "volume"}
        assert len(volumes) > len(project.volumes())
        first.unlink()
        project.configure({"dockerHost": f"unix://{second}"})
        assert "no drift" in project.fridayctl("drift", project.stack).out
        ran = project.fridayctl("down", project.stack, "--yes")
        assert "the last update reached the host in another way" in ran.out
        assert project.everything() == []
        assert project.networks() == []
        assert project.volumes() == []
        assert not volumes & {volume.name for volume in project.engine.volumes.list()}
        assert "not deployed" in project.fridayctl("status", project.stack, code=1).out
    finally:
        project.remove()


def _two_ways(project: Project, folder: Path) -> list[Path]:
    """Return two names of the engine's socket."""
    engine = project.settings.get("dockerHost", "unix:///var/run/docker.sock").removeprefix("unix://")
    ways = [folder / "first.sock", folder / "second.sock"]
    for way in ways:
        way.symlink_to(engine)
    return ways
