"""Log lines hold what happened and where, never what was said."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from gateway.logs import JsonFormatter, RedactingFilter, shortened


def record(message: str, *args: object, failed: bool = False) -> logging.LogRecord:
    error = None
    if failed:
        try:
            raise ValueError("PRIVATE words of a user")
        except ValueError:
            error = sys.exc_info()
    return logging.LogRecord("LiteLLM", logging.ERROR, "x.py", 1, message, args, error)


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        (
            "Exception occured - litellm.APIError: APIError: OpenrouterException - PRIVATE",
            "Exception occured - litellm.APIError: APIError: Openrouter",
        ),
        ('failed: {"message": "PRIVATE"}', "failed:"),
        ("first line\nPRIVATE", "first line"),
        ("x" * 500, "x" * 240),
        ("LiteLLM started", "LiteLLM started"),
    ],
)
def test_a_message_ends_where_it_begins_to_quote(message: str, kept: str) -> None:
    assert shortened(message) == kept


def test_an_exception_leaves_its_type_and_place() -> None:
    found = record("it %s", "failed", failed=True)
    assert RedactingFilter().filter(found)
    text = logging.Formatter().format(found)
    assert text.startswith("it failed (ValueError at ")
    assert "test_logs.py:" in text
    assert "PRIVATE" not in text


def test_a_line_is_json_without_an_exceptions_words() -> None:
    line = json.loads(JsonFormatter().format(record("it failed", failed=True)))
    assert (line["level"], line["message"]) == ("ERROR", "it failed")
    assert line["error"].startswith("ValueError at ")
    assert "PRIVATE" not in json.dumps(line)


def test_what_is_logged_already_is_dropped() -> None:
    assert not RedactingFilter().filter(record("x - Error occurred while trying to do fallbacks - y"))
