"""Settings of the simulator, read from the environment once at start."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from simulator.accounts import FREE_RPM, Accounts, KeyLine, Limits

CATALOGUE = Path(__file__).with_name("catalogue.json")


class ConfigError(Exception):
    """A wrong setting or catalogue file; the message names it, the expectation and the value."""


def _variable(field: str) -> str:
    return field.upper() if field in ("drain_seconds", "grace_seconds") else f"SIMULATOR_{field.upper()}"


class Settings(BaseModel, frozen=True, alias_generator=_variable, populate_by_name=True):
    """All settings; each field but `keys` is read from the variable that its alias names. Times as the names say."""

    keys: Annotated[tuple[KeyLine, ...], Field(alias="keys")]
    rpm: Annotated[int, Field(ge=0)] = FREE_RPM
    rpd: Annotated[int, Field(ge=0)] | None = None
    latency_ms: Annotated[float, Field(ge=0, le=600_000)] = 0
    token_ms: Annotated[float, Field(ge=0, le=60_000)] = 0
    credits: Decimal = Decimal(10)
    seed: int = 0
    admin: bool = True
    catalogue: Path = CATALOGUE
    host: str = "0.0.0.0"  # noqa: S104 - a container's only interface; its port is published on loopback
    port: Annotated[int, Field(ge=1, le=65_535)] = 8080
    drain_seconds: Annotated[float, Field(ge=0)] = 2.0
    grace_seconds: Annotated[float, Field(ge=0)] = 10.0

    def accounts(self) -> Accounts:
        """Return new accounts, each with `credits` bought and nothing used."""
        return Accounts(self.keys, self.credits, Limits(self.rpm, self.rpd))


def parse_keys(text: str) -> tuple[KeyLine, ...]:
    """Return the keys in lines (or comma-separated items); `#` starts a comment line.

    Raises `ConfigError` for a malformed line, a repeated key or name, or a management key of an unknown account.
    """
    keys: list[KeyLine] = []
    for number, line in enumerate(text.replace(",", "\n").splitlines(), start=1):
        words = line.split()
        if words and not words[0].startswith("#"):
            keys.append(_parse_key(number, words, len(keys) + 1))
    names = [k.name for k in keys if not k.management]
    for what, values in (("key", [k.key for k in keys]), ("account name", names)):
        if len(set(values)) != len(values):
            raise ConfigError(f"SIMULATOR_API_KEYS: should name each {what} once (one is repeated)")
    for k in keys:
        if k.management and k.name not in names:
            raise ConfigError(f"SIMULATOR_API_KEYS: management key of an unknown account {k.name!r}")
    return tuple(keys)


def _parse_key(number: int, words: list[str], position: int) -> KeyLine:
    match words:
        case [key]:
            return KeyLine(key, f"account-{position}")
        case [key, name]:
            return KeyLine(key, name)
        case [key, name, "management"]:
            return KeyLine(key, name, management=True)
    # The line itself is a secret: the message has the number of words only.
    raise ConfigError(
        f"SIMULATOR_API_KEYS: line {number} should be `key`, `key name` or `key name management` "
        f"(got {len(words)} words)"
    )


def _read_keys(env: Mapping[str, str]) -> str:
    path = env.get("SIMULATOR_API_KEYS_FILE")
    if not path:
        return env.get("SIMULATOR_API_KEYS", "")
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"SIMULATOR_API_KEYS_FILE: should be a readable text file ({error})") from error


def load(env: Mapping[str, str]) -> Settings:
    """Return the settings in the environment. Raises `ConfigError` with every wrong value in one message."""
    keys = parse_keys(_read_keys(env))
    if not keys:
        raise ConfigError(
            "SIMULATOR_API_KEYS_FILE: should name a file with at least one key "
            "(or set SIMULATOR_API_KEYS; one `key[ name]` a line)"
        )
    values = {name: env[name] for name in map(_variable, Settings.model_fields) if env.get(name)}
    try:
        return Settings.model_validate({**values, "keys": keys})
    except ValidationError as error:
        wrong = [f"{e['loc'][0]}: {e['msg'].lower()} (got {e['input']!r})" for e in error.errors()]
        raise ConfigError("; ".join(wrong)) from error
