"""Checks of single JSON values. Each takes a value and its path in the body, and returns the value as it is sent on.

A check raises `FieldError` with the path, such as `messages[2].content[1].image_url`, and what was expected there.
"""

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

Check = Callable[[Any, str], Any]

MAX_DEPTH = 64  # of objects whose form is the client's own; real schemas have a tenth of it
INT64 = 2**63
_MISSING = "nothing"


class FieldError(Exception):
    """A value that is sent to no model: `path` says where it is, `expected` completes a sentence that begins there."""

    def __init__(self, path: str, expected: str) -> None:
        super().__init__(f"{path} {expected}")
        self.path = path


def kind(value: Any) -> str:
    """Return what a JSON value is, in words. Never the value itself, which may be a user's."""
    if value is None:
        return _MISSING
    if isinstance(value, bool):
        return "true or false"
    names = {str: "text", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), "something else")


def text(value: Any, path: str) -> str:
    """Return a string."""
    if not isinstance(value, str):
        raise FieldError(path, f"should be text (got {kind(value)})")
    return value


def flag(value: Any, path: str) -> bool:
    """Return a boolean."""
    if not isinstance(value, bool):
        raise FieldError(path, f"should be true or false (got {kind(value)})")
    return value


def number(least: float, most: float) -> Check:
    """Return a check for a number within a range; Infinity and NaN are none."""

    def check(value: Any, path: str) -> int | float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise FieldError(path, f"should be a number from {least:g} to {most:g} (got {kind(value)})")
        if not least <= value <= most:
            raise FieldError(path, f"should be a number from {least:g} to {most:g}")
        return value

    return check


def whole(least: int, most: int | None = None) -> Check:
    """Return a check for an integer within a range; without `most` there is no upper limit."""
    wanted = f"a whole number of {least} or more" if most is None else f"a whole number from {least} to {most}"

    def check(value: Any, path: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise FieldError(path, f"should be {wanted} (got {kind(value)})")
        if value < least or (most is not None and value > most):
            raise FieldError(path, f"should be {wanted}")
        return value

    return check


def choice(known: Collection[str]) -> Check:
    """Return a check for one of some words."""

    def check(value: Any, path: str) -> str:
        if not isinstance(value, str) or value not in known:
            raise FieldError(path, f"should be one of {', '.join(sorted(known))}")
        return value

    return check


def items(check: Check, most: int) -> Check:
    """Return a check for a list of at most `most`; an empty one is left out of the request."""

    def checked(value: Any, path: str) -> list[Any] | None:
        if not isinstance(value, list):
            raise FieldError(path, f"should be a list (got {kind(value)})")
        if len(value) > most:
            raise FieldError(path, f"should hold at most {most}")
        return [check(item, f"{path}[{index}]") for index, item in enumerate(value)] or None

    return checked


def members(value: Any, path: str) -> dict[str, Any]:
    """Return an object, unchecked inside."""
    if not isinstance(value, dict):
        raise FieldError(path, f"should be an object (got {kind(value)})")
    return value


def rebuilt(fields: Mapping[str, Any], path: str, checks: Mapping[str, Check]) -> dict[str, Any]:
    """Return the known members of an object, each checked. What is null, or what its check leaves out, is missing."""
    kept = {
        name: check(fields[name], f"{path}.{name}") for name, check in checks.items() if fields.get(name) is not None
    }
    return {name: value for name, value in kept.items() if value is not None}


def free_object(value: Any, path: str) -> dict[str, Any]:
    """Return an object whose form is the client's own, such as a JSON schema: depth and numbers are checked."""
    _free(members(value, path), path, MAX_DEPTH)
    return dict(value)


def free_value(value: Any, path: str) -> Any:
    """Return any JSON value, checked as `free_object`."""
    _free(value, path, MAX_DEPTH)
    return value


def _free(value: Any, path: str, left: int) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise FieldError(path, "should hold only finite numbers")
    if not isinstance(value, (dict, list)):
        return
    if not left:
        raise FieldError(path, f"should be nested at most {MAX_DEPTH} deep")
    for member in value.values() if isinstance(value, dict) else value:
        _free(member, path, left - 1)
