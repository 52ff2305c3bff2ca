"""One stack of the suite's own, in a copy of the checkout, for every test that needs a real engine."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import docker
import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

pytest.register_assert_rewrite("testing")
hypothesis.settings.register_profile("tests", deadline=None)  # a busy machine is no fault of the code's
hypothesis.settings.load_profile("tests")

from testing.project import Project  # noqa: E402 - its asserts are rewritten
from testing.record import ENVIRONMENT, Recorder  # noqa: E402

UNIT_SECONDS, ENGINE_SECONDS = 120, 900
"""What a test may take with all that it sets up, on a machine with other work. Neither says how fast it should be: a
test that hangs is to fail by name instead of holding CI until CI is ended without a word."""


APART = ("test_backup.py", "test_every_secret_changed.py", "test_secrets.py")
"""Modules that bring stacks of their own up for minutes: each can run in another process than others of its folder."""


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist's own classes have no types
    """Which tests one of several processes runs: unit tests one by one, all others of a folder together.

    Those of a folder share a stack or hosts, which would else be made in each process; but for the modules `APART`.
    """

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith("tests/unit/"):
            return nodeid
        folder, _, module = nodeid.partition("::")[0].rpartition("/")
        return f"{folder}/{module}" if module in APART else folder


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test that has none of its own an end, and run the modules that share one stack last.

    A stack that only stands there takes a third of a processor for its health checks. Those that bring stacks or
    hosts of their own come before it; those that need no engine come first, because they are quickest to fail.
    """
    for item in items:
        # A mark that is added here would count for more than the module's own.
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(ENGINE_SECONDS if _needs_engine(item) else UNIT_SECONDS))
    sharing = {item.path for item in items if "project" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: (_needs_engine(item), item.path in sharing))


def _needs_engine(item: pytest.Item) -> bool:
    return item.get_closest_marker("engine") is not None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what the edge saw to the report of a failed test: who was up when, and which requests failed."""
    report = yield
    if report.failed:
        for stack in getattr(item, "funcargs", {}).values():
            if isinstance(stack, Project):
                report.sections.append((f"edge of {stack.stack}", edge_log(stack)))
    return report


def edge_log(stack: Project) -> str:
    """Return the edges' last lines about replicas and failed requests; what else they log is left out."""
    try:
        logs = "".join(edge.logs(timestamps=True, tail=5000).decode() for edge in stack.containers("edge"))
    except docker.errors.DockerException as error:
        return str(error)
    return "\n".join([line for line in logs.splitlines() if '"status":' not in line or '"status":5' in line][-60:])


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Bring a small local stack up once; take it down, and whatever else is left, when the session ends."""
    made = Project.create(Path(tmp_path_factory.mktemp("project")))
    with made.deployed():
        yield made


@pytest.fixture(scope="session")
def record() -> Recorder:
    """Write down what was tried, where `./fridayctl prove` asks for it."""
    file = os.environ.get(ENVIRONMENT)
    return Recorder(Path(file) if file else None)
