"""One stack of the suite's own, in a copy of the checkout, for every test that needs a real engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.helpers import Project


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Bring a small local stack up once; take it down, and whatever else is left, when the session ends."""
    made = Project.create(Path(tmp_path_factory.mktemp("project")))
    try:
        made.fridayctl("up", made.stack)
        yield made
    finally:
        made.remove()
