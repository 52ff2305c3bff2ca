"""Logs as one JSON object a line, without any text of a user.

LiteLLM logs the upstream's answer, the whole fallback map and a stack trace for each failed attempt. That is
kilobytes each time, and an upstream that refuses a text often quotes it. Only the event and its place are kept.
"""

import json
import logging
import re
import traceback
from typing import Any

LITELLM_LOGGERS = ("LiteLLM", "LiteLLM Router")
MAX_MESSAGE = 240

_NOISE = re.compile(r"Error occurred while trying to do fallbacks")
"""Messages that repeat what `upstream` logs of each attempt."""

_INSIDE = re.compile(r"[\n{\[]|Exception - |\. ?Received Model|No fallback model group")
"""The place where LiteLLM's messages begin to quote requests and answers."""


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


class RedactingFilter(logging.Filter):
    """Shortens LiteLLM's messages.

    A filter of the logger and not a handler: LiteLLM changes its handlers while it starts.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record, or drop it when it is noise."""
        message = record.getMessage()
        if _NOISE.search(message):
            return False
        said = shortened(message)
        if record.exc_info and record.exc_info[1] is not None:
            said = f"{said} ({place_of(record.exc_info[1])})"
        record.msg, record.args = said, ()
        record.exc_info, record.exc_text, record.stack_info = None, None, None
        return True


def shortened(message: str) -> str:
    """Return the beginning of a message, up to the first text that may be a quotation."""
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
