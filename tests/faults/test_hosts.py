"""Each fault of the host, while users ask: what was promised."""

from collections.abc import Iterator

import pytest

from testing import remote_project
from testing.faults.hosts import HOSTS, HostFault
from testing.project import Project
from testing.record import Recorder
from testing.rig import Rig, rig
from tests.faults.shortened import shorten
from tests.faults.watched import check, tried, watch

pytestmark = [pytest.mark.engine, pytest.mark.proof]


@pytest.fixture(scope="module")
def made() -> Iterator[Rig]:
    with rig(1) as made:
        yield made


@pytest.fixture(scope="module")
def stack(made: Rig, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A stack on a host of its own, with which it goes."""
    project = remote_project.create(tmp_path_factory.mktemp("faults"), made)
    shorten(project)
    project.fridayctl("setup")
    project.fridayctl("images", "push", project.stack)
    project.fridayctl("up", project.stack)
    return project


@pytest.mark.parametrize("fault", HOSTS, ids=lambda fault: fault.name)
def test_fault(stack: Project, made: Rig, fault: HostFault, record: Recorder) -> None:
    watched = watch(stack, fault.happens(made.hosts[0]), fault.lasts)
    record(tried(fault, watched))
    print(fault.name, watched.failed(), f"slowest {watched.slowest:.1f} s, back after {watched.back:.1f} s")
    check(fault, watched)
