"""What the tests of backups work on."""

from pathlib import Path

import pytest

from ops.backup import sealed
from tests.unit.ops.backup.machines import Machine, Machines


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machines:
    monkeypatch.setattr(sealed, "WORK", 1 << 10)
    return lambda name: Machine(tmp_path / name, monkeypatch)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup.tar"
