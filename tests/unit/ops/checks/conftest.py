"""What all tests of checks have in common."""

import pytest

from ops.checks.preflight import run


@pytest.fixture(autouse=True)
def no_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no backend know the stack: opening one would set this process's environment for all tests after it."""
    monkeypatch.setattr(run, "open_known", lambda _: None)
