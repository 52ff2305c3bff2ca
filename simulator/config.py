"""Settings of the simulator, read from the environment once at start."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulator.accounts import FREE_RPM, Account, Accounts, Credential, Limits

CATALOGUE = Path(__file__).with_name("catalogue.json")
_VISIBLE_KEY_LENGTH = 24
"""Keys at least this long can show their ends in a label without giving anything away."""


class ConfigError(Exception):
    """A wrong setting; the message names it, what was expected and what was found."""


class KeyLine(BaseModel):
    """One key: `key`, `key name`, or `key name management` for a second, management-only key of `name`."""

    model_config = ConfigDict(frozen=True)

    key: str
    name: str
    management: bool = False


class Settings(BaseModel):
    """Everything that the environment may say; names in lower case without the SIMULATOR_ prefix."""

    model_config = ConfigDict(frozen=True)

    keys: tuple[KeyLine, ...]
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
        """Fresh accounts, each with `credits` bought and nothing used."""
        owners = {k.name: Account(k.name, self.credits) for k in self.keys if not k.management}
        credentials = {k.key: Credential(owners[k.name], label(k), k.management) for k in self.keys}
        return Accounts(credentials, Limits(self.rpm, self.rpd))


def label(line: KeyLine) -> str:
    """What `GET /key` calls the key: its two ends, or the account's name when the key is short."""
    return f"{line.key[:9]}...{line.key[-3:]}" if len(line.key) >= _VISIBLE_KEY_LENGTH else line.name


def parse_keys(text: str) -> tuple[KeyLine, ...]:
    """Keys from lines (or comma-separated items); `#` starts a comment line.

    Raises `ConfigError` for a malformed line, a repeated key or name, or a management key of nobody.
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
            return KeyLine(key=key, name=f"account-{position}")
        case [key, name]:
            return KeyLine(key=key, name=name)
        case [key, name, "management"]:
            return KeyLine(key=key, name=name, management=True)
    # The line itself is a secret: its words are counted, never shown.
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


_SIMULATOR_NAMES = (
    "rpm",
    "rpd",
    "latency_ms",
    "token_ms",
    "credits",
    "seed",
    "admin",
    "catalogue",
    "host",
    "port",
)
_SHARED_NAMES = ("drain_seconds", "grace_seconds")


def load(env: Mapping[str, str]) -> Settings:
    """Settings from the environment. Raises `ConfigError` with every wrong value in one message."""
    keys = parse_keys(_read_keys(env))
    if not keys:
        raise ConfigError(
            "SIMULATOR_API_KEYS_FILE: should name a file with at least one key "
            "(or set SIMULATOR_API_KEYS; one `key[ name]` a line)"
        )
    names = {f"SIMULATOR_{n.upper()}": n for n in _SIMULATOR_NAMES} | {n.upper(): n for n in _SHARED_NAMES}
    values = {field: env[name] for name, field in names.items() if env.get(name)}
    try:
        return Settings.model_validate({"keys": keys, **values})
    except ValidationError as error:
        env_names = {field: name for name, field in names.items()}
        wrong = [f"{env_names[str(e['loc'][0])]}: {e['msg'].lower()} (got {e['input']!r})" for e in error.errors()]
        raise ConfigError("; ".join(wrong)) from error
