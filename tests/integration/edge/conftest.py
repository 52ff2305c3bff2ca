"""One stage with two replicas of each part for the tests that leave it as they find it; a fresh one for the others."""

from collections.abc import Iterator

import pytest

from tests.integration.edge.stage import REPLICA_PORTS, Stage


@pytest.fixture(scope="session")
def shared_stage() -> Iterator[Stage]:
    stage = Stage()
    try:
        _populate(stage)
        yield stage
    finally:
        stage.close()


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    try:
        _populate(stage)
        yield stage
    finally:
        stage.close()


def _populate(stage: Stage) -> None:
    stage.start_edge()
    for part in REPLICA_PORTS:
        for _ in range(2):
            stage.start_replica(part)
    for part in REPLICA_PORTS:
        stage.until_up(part, 2)
