"""A setting's value as Pulumi's command line shows it in JSON: for what is read without asking it."""

import json

from components.settings_source import is_secure


def has_secret(value: object) -> bool:
    """Tell whether a value is a secret, or holds one anywhere: Pulumi then calls all of it a secret."""
    if isinstance(value, dict):
        return is_secure(value) or any(map(has_secret, value.values()))
    return isinstance(value, list) and any(map(has_secret, value))


def as_text(value: object) -> str:
    """Return a value as text; what is no text as JSON, as Go's encoding/json writes it."""
    if isinstance(value, str):
        return value
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
