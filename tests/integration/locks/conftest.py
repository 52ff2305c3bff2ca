"""One simulator in a network without a way out, and what the installed LiteLLM declares, for all tests of the locks."""

from collections.abc import Iterator

import pytest

from tests.integration.locks.closed import Closed, Names, closed, litellm_names


@pytest.fixture(scope="session")
def names() -> Names:
    return litellm_names()


@pytest.fixture(scope="session")
def network() -> Iterator[Closed]:
    with closed() as made:
        yield made
