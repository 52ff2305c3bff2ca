"""Each fault of a part of the stack, while users ask: what was promised, and that it cost nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.faults.fault import Fault
from testing.faults.parts import PARTS
from testing.project import Project
from testing.record import Recorder
from tests.faults.shortened import shorten
from tests.faults.watched import bill, check, tried, watch

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A stack of their own: half of the users on each path, and short times."""
    made = Project.create(Path(tmp_path_factory.mktemp("faults")))
    shorten(made)
    with made.deployed():
        yield made


@pytest.mark.parametrize("fault", PARTS, ids=lambda fault: fault.name)
def test_fault(stack: Project, fault: Fault[Project], record: Recorder) -> None:
    watched = watch(stack, fault.happens(stack), fault.lasts)
    record(tried(fault, watched))
    print(fault.name, watched.failed(), f"slowest {watched.slowest:.1f} s, back after {watched.back:.1f} s")
    check(fault, watched)
    assert bill(stack) == 0
