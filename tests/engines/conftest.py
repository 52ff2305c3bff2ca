"""One host for each engine and image store, with a stack on it; what passed is noted for the table in the docs."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from testing import dockerd, engine_results, remote_project
from testing.engines import ENGINES
from testing.nested_host import NestedHost
from testing.project import Project
from testing.repository import commit, git
from testing.rig import Rig, rig

# The normal run has the newest engine that a Debian suite brings, with the store that this machine may not have.
_NORMAL = ("28", "containerd")
_CASES = [(engine.name, store) for engine in ENGINES.values() for store in engine.stores]


def _parameter(engine: str, store: str) -> object:
    marks = () if (engine, store) == _NORMAL else pytest.mark.slow
    return pytest.param((engine, store), id=f"{engine}-{store}", marks=marks)


@pytest.fixture(scope="module", params=[_parameter(*case) for case in _CASES])
def made(request: pytest.FixtureRequest) -> Iterator[Rig]:
    engine, store = request.param
    with rig(1, engine=engine, store=store) as made:
        yield made


@pytest.fixture(scope="module")
def host(made: Rig) -> NestedHost:
    return made.hosts[0]


@pytest.fixture(scope="module")
def stack(made: Rig, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A stack as the local one is, set to run on the host; its checkout is a repository with one commit."""
    project = remote_project.create(tmp_path_factory.mktemp("engines"), made)
    git(project, "init", "--quiet")
    project.configure({"rolloutPercentage": 10})
    commit(project, "ten")
    project.fridayctl("setup")
    return project


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build the engine that is built, where it is chosen: that may take longer than a test has time."""
    # All items of the run come here, and `made` is a name that others have for something else.
    here = [item for item in session.items if item.path.parent == Path(__file__).parent]
    cases = [getattr(item, "callspec", None) for item in here]
    chosen = {case.params["made"][0] for case in cases if case}
    if any(ENGINES[name].built for name in chosen) and not session.config.option.collectonly:
        terminal = session.config.pluginmanager.get_plugin("terminalreporter")
        dockerd.ensure(terminal.write_line if terminal else print)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    made = getattr(item, "funcargs", {}).get("made")
    if isinstance(made, Rig) and (report.when == "call" or report.failed):
        engine_results.note(made.hosts[0].engine, str(getattr(item, "originalname", item.name)), report.passed)
    return report
