"""What several modules of these tests play with."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.ops.promotion import World


@pytest.fixture(autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a state of its own: nothing played with here may leave something in the developer's."""
    folder = Path(tmp_path_factory.mktemp("state"))
    monkeypatch.setenv("FRIDAY_STATE_DIR", str(folder))
    return folder


@pytest.fixture(autouse=True)
def runtime_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder for the sockets of ssh connections; pytest's own have paths that are too long for a socket."""
    with tempfile.TemporaryDirectory(prefix="f-") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)
