"""The test hosts themselves: what they keep over a reboot, that they form a Swarm, and that none is left behind."""

import subprocess
import sys
from pathlib import Path

import docker
import pytest

from testing.meanwhile import until
from testing.nested_host import NestedHost
from testing.project import ROOT
from testing.rig import LABEL, Rig, rig, sweep

pytestmark = [pytest.mark.engine, pytest.mark.beside]

# Names its rig once that is up, and is killed before it can take it away.
ENDLESS = """
import time
from testing.rig import rig
with rig(1) as made:
    print(made.folder, flush=True)
    time.sleep(600)
"""


def left(folder: Path) -> int:
    """Return how many containers and networks of a rig there are."""
    engine = docker.from_env()
    label: dict[str, str | list[str] | bool] = {"label": f"{LABEL}={folder}"}
    return len(engine.containers.list(all=True, filters=label)) + len(engine.networks.list(filters=label))


@pytest.mark.slow
def test_hosts_form_a_swarm_and_keep_it_over_a_reboot_and_a_power_cut(made: Rig) -> None:
    made.form_swarm()
    first, second, third = made.hosts
    second.run("docker", "volume", "create", "kept")
    second.reboot()
    assert "kept" in second.inventory()["volumes"]
    third.kill()
    third.boot()

    def nodes() -> list[str]:
        return sorted(first.run("docker", "node", "ls", "--format", "{{.Status}} {{.ManagerStatus}}").splitlines())

    until(lambda: nodes() == ["Ready Leader", "Ready Reachable", "Ready Reachable"], "three managers", 60)


@pytest.mark.slow
def test_a_cleared_host_is_as_it_was_made(made: Rig) -> None:
    host = made.hosts[1]
    assert "kept" in host.inventory()["volumes"]
    host.clear()
    assert host.inventory() == {"containers": set(), "networks": {"bridge", "host", "none"}, "volumes": set()}
    assert host.run("docker", "info", "--format", "{{.Swarm.LocalNodeState}}") == "inactive"


def test_ssh_comes_back_after_a_cut_and_the_host_runs_on_meanwhile(host: NestedHost) -> None:
    with host.ssh_cut(silent=False):
        assert host.ssh("true").returncode == 255
        assert host.run("docker", "ps", "--quiet") == ""
    host.wait()


def test_a_killed_run_is_swept_by_the_next_and_a_living_one_is_not_and_leaves_nothing_itself() -> None:
    with (
        rig(1) as living,
        subprocess.Popen([sys.executable, "-c", ENDLESS], cwd=ROOT, stdout=subprocess.PIPE, text=True) as run,
    ):
        assert run.stdout
        folder = Path(run.stdout.readline().strip())
        run.kill()
        run.wait()
        assert left(folder) == 2
        sweep()
        assert left(folder) == 0
        assert not folder.exists()
        assert left(living.folder) == 2
    assert left(living.folder) == 0
    assert not living.folder.exists()
