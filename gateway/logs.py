"""Logs as one JSON object a line, without a word that a user wrote.

LiteLLM logs the upstream's answer, the whole fallback map and a stack trace for each failed attempt:
kilobytes a time, and an upstream that refuses a text likes to quote it. What is kept is what and where.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from typing import Any

LITELLM_LOGGERS = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy")
MAX_MESSAGE = 240

_SILENT_MISTAKES = re.compile(r"not a valid argument|Error creating deployment")
"""What LiteLLM only mentions in its log before it serves without the setting or the model."""

_NOISE = re.compile(r"Error occurred while trying to do fallbacks|(Packaged|Selected) UI ")
"""What the guard has said already, once for each attempt; and complaints about the UI, which is not served."""

_INSIDE = re.compile(r"[\n{\[]|Exception - |\. ?Received Model|No fallback model group")
"""Where LiteLLM's messages turn from what happened to what was said."""


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and for an exception its type and place."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = place_of(record.exc_info[1])
        return json.dumps(line)


class Discretion(logging.Filter):
    """Shortens LiteLLM's messages, and remembers those that say that a part of its config was passed over.

    A filter of the logger and not a handler: LiteLLM changes its handlers while it starts.
    """

    def __init__(self) -> None:
        super().__init__()
        self.mistakes: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record, or drop it when it is noise."""
        message = record.getMessage()
        if _NOISE.search(message):
            return False
        if _SILENT_MISTAKES.search(message):
            self.mistakes.append(message[:MAX_MESSAGE])
        said = shortened(message)
        if record.exc_info and record.exc_info[1] is not None:
            said = f"{said} ({place_of(record.exc_info[1])})"
        record.msg, record.args = said, ()
        record.exc_info, record.exc_text, record.stack_info = None, None, None
        return True


def shortened(message: str) -> str:
    """Return the beginning of a message, up to where it would quote somebody."""
    return _INSIDE.split(message, maxsplit=1)[0][:MAX_MESSAGE].rstrip()


def place_of(error: BaseException) -> str:
    """Return an exception's type and the line that raised it; its text may quote a user."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


def uvicorn_config() -> dict[str, Any]:
    """Return the logging configuration of the server and of the gateway itself: JSON on standard error."""
    handler = {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": "json"}
    logger = {"handlers": ["json"], "level": "INFO", "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "gateway.logs.JsonFormatter"}},
        "handlers": {"json": handler},
        "loggers": {"uvicorn": logger, "gateway": logger},
    }
