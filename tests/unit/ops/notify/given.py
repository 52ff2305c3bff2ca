"""A message, and channels, that tests of notifications start from."""

import datetime as dt
from pathlib import Path
from typing import Any

from components.settings.notify import NotifySettings
from ops.notify.message import Message
from ops.notify.notifier import Notifier
from ops.progress import Say

AT = dt.datetime(2026, 11, 30, 15, 4, 5, tzinfo=dt.UTC)


def message(**changes: Any) -> Message:
    facts: dict[str, Any] = {
        "stack": "t",
        "event": "step",
        "result": "done",
        "what": "10 -> 50 % of users go through LiteLLM",
        "operator": "anna@ops1",
        "from_percent": 10,
        "to_percent": 50,
        "why": "all gates passed",
        "next": "./fridayctl status t",
        "at": AT,
    }
    return Message(**{**facts, **changes})


def notify(**channels: Any) -> NotifySettings:
    return NotifySettings.model_validate(channels)


def notifier(settings: NotifySettings, folder: Path, say: Say = lambda _: None) -> Notifier:
    return Notifier("t", settings, lambda: settings, folder, say)


def script(path: Path, *lines: str, executable: bool = True) -> Path:
    """Write a program of the shell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]), encoding="utf-8")
    path.chmod(0o755 if executable else 0o644)
    return path
