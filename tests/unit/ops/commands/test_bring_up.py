"""When OpenRouter is asked before an update, and when it may not stand in the way."""

from types import SimpleNamespace
from typing import Any

import pytest

from ops.commands import up
from ops.errors import EXIT_USAGE, OperationError
from tests.unit.given import settings


@pytest.mark.parametrize(
    ("message", "offline", "asked"),
    [
        ("", False, True),
        ("promote: 10 -> 50 %, all gates passed", False, True),
        ("in my own words", False, True),
        ("", True, False),
        ("rollback: level 4, 50 -> 10 %", False, False),
        ("abort: 50 -> 10 %", False, False),
        ("fix: friday-t-edge-1", False, False),
    ],
)
def test_openrouter_is_asked_unless_something_is_only_brought_back(
    message: str, offline: bool, asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def require(*_: Any, upstream: bool) -> None:
        seen.append(upstream)
        raise OperationError("a model is paid", "replace it", EXIT_USAGE)

    monkeypatch.setattr(up, "read_settings", lambda _: settings())
    monkeypatch.setattr(up, "ensure", lambda: None)
    monkeypatch.setattr(up, "preflight", SimpleNamespace(require=require))
    monkeypatch.setattr(up, "open_to_change", lambda *_: pytest.fail("went on"))
    with pytest.raises(OperationError, match="paid"):
        up.bring_up("t", message, lambda *_: None, offline=offline)
    assert seen == [asked]
