"""Structured JSON logs: no prompt, no answer, no key, and the user only as a keyed hash."""

import hashlib
import hmac
import json
import logging
import sys
import time
import traceback
from typing import TextIO

logger = logging.getLogger("friday")


class JsonFormatter(logging.Formatter):
    """One JSON object a line; the dict in `extra={"data": {...}}` is merged into it."""

    def format(self, record: logging.LogRecord) -> str:
        """Render `record`; an exception appears with its name and place, without its text (it may quote input)."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, object] = {
            "time": f"{stamp}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "data", {}),
        }
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
            if frames := traceback.extract_tb(record.exc_info[2]):
                line["at"] = f"{frames[-1].filename}:{frames[-1].lineno}"
        return json.dumps(line, default=str)


def configure_logging(stream: TextIO = sys.stdout, level: int = logging.INFO) -> None:
    """Send every log of the process to `stream` as JSON; libraries only from WARNING on."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logger.setLevel(level)


class UserHasher:
    """Stable pseudonyms for user ids, useless without the salt."""

    def __init__(self, salt: bytes) -> None:
        self._salt = salt

    def __call__(self, user_id: int | None) -> str | None:
        """Return twelve hex digits for a user id, None for None."""
        if user_id is None:
            return None
        return hmac.new(self._salt, str(user_id).encode("ascii"), hashlib.sha256).hexdigest()[:12]
