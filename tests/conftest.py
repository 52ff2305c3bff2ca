"""One stack of the suite's own, in a copy of the checkout, for every test that needs a real engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("testing")

from testing.project import Project  # noqa: E402 - its asserts are rewritten

REMOTE = Path(__file__).with_name("remote")
UNIT_SECONDS, ENGINE_SECONDS = 120, 900
"""What a test may take with all that it sets up, on a machine with other work. Neither says how fast it should be: a
test that hangs is to fail by name instead of holding CI until CI is ended without a word."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test an end, keep together what shares hosts or a stack, and run the modules that share one last.

    A stack that only stands there takes a third of a processor for its health checks. Those that bring stacks or
    hosts of their own come before it; those that need no engine come first, because they are quickest to fail.
    """
    for item in items:
        item.add_marker(pytest.mark.timeout(ENGINE_SECONDS if _needs_engine(item) else UNIT_SECONDS))
        if _needs_engine(item):
            item.add_marker(pytest.mark.xdist_group(_shared_by(item)))
    sharing = {item.path for item in items if _shared_by(item) == "project"}
    items.sort(key=lambda item: (_needs_engine(item), item.path in sharing))


def _shared_by(item: pytest.Item) -> str:
    """Return a name for what a test shares with others: run side by side, one process runs all of these."""
    if "project" in getattr(item, "fixturenames", ()):
        return "project"
    return "remote" if item.path.is_relative_to(REMOTE) else item.path.stem


def _needs_engine(item: pytest.Item) -> bool:
    return item.get_closest_marker("engine") is not None


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Bring a small local stack up once; take it down, and whatever else is left, when the session ends."""
    made = Project.create(Path(tmp_path_factory.mktemp("project")))
    try:
        made.fridayctl("up", made.stack)
        yield made
    finally:
        made.remove()
