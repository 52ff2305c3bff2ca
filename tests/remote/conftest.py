"""The three hosts that all modules share. Each module finds them empty, but for the images that they hold."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from testing.nested_host import NestedHost
from testing.rig import Rig, rig


@pytest.fixture(scope="package")
def _three() -> Iterator[Rig]:
    with rig(3) as made:
        yield made


@pytest.fixture(scope="package")
def _modules() -> list[str]:
    """Return who has used the hosts so far."""
    return []


@pytest.fixture(scope="module")
def made(_three: Rig, _modules: list[str], request: pytest.FixtureRequest) -> Rig:
    if _modules:
        with ThreadPoolExecutor() as pool:
            list(pool.map(NestedHost.clear, _three.hosts))
    _modules.append(request.module.__name__)
    return _three


@pytest.fixture(scope="module")
def host(made: Rig) -> NestedHost:
    return made.hosts[0]
