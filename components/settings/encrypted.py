"""Which values of a stack file are secrets, and whether Pulumi has encrypted them there."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from components.settings.stack import INNER_SECRETS, SECRET_KEYS, SECRET_MAP


def plain_secrets(name: str, value: object) -> Iterator[str]:
    """Yield the path of each secret of a top-level setting that stands in the file unencrypted."""
    secrets = {name: value} if name in SECRET_KEYS else {}
    if name == SECRET_MAP and isinstance(value, dict):
        secrets = {f"{name}.{variable}": content for variable, content in value.items()}
    for path in INNER_SECRETS:
        top, *inner = path.split(".")
        if top == name and (content := _inside(value, inner)) is not None:
            secrets[path] = content
    yield from (path for path, content in secrets.items() if not is_secure(content))


def holds_secrets(top: str) -> bool:
    """Return whether a top-level setting is a secret, or a map with one inside."""
    return top in SECRET_KEYS or top == SECRET_MAP or any(path.startswith(f"{top}.") for path in INNER_SECRETS)


def is_secure(value: object) -> bool:
    """Return whether a value is a secret as Pulumi writes one, into a stack file and into its history alike."""
    return isinstance(value, dict) and value.keys() == {"secure"}


def without_secure(value: Any) -> Any:
    """Replace each `secure: ...` by a stand-in of a length that every secret accepts."""
    if is_secure(value):
        # Each stand-in differs, so that the rule "these two secrets differ" does not trip over it.
        return f"encrypted-{hashlib.sha256(str(value['secure']).encode()).hexdigest()}"
    if isinstance(value, dict):
        return {key: without_secure(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_secure(item) for item in value]
    return value


def _inside(value: object, keys: Sequence[str]) -> object:
    """Return what a map holds at the end of a path, None where there is nothing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
