"""The environment variables that Friday AI reads (README of TekupDK/friday-ai): this is the only list of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.edge_config import GATEWAY_INTERNAL_PORT

if TYPE_CHECKING:
    from components.part import Given

PORT = 3000
DRAIN_SECONDS = 2


@dataclass(frozen=True)
class Rule:
    """What a value has to be: `words` complete the sentence "NAME should be ..."."""

    words: str
    is_kept: Callable[[str], bool]


@dataclass(frozen=True)
class Variable:
    """One variable.

    `value` is what the stack sets it to; without one it is the team's own (`friday.environment`, `fridaySecrets`).
    One that is `reserved` cannot be set by a stack file: another value would point Friday at another host or another
    price. A `secret` goes into a file, NAME_FILE, where Friday reads files. Friday does not start without a `required`
    one. `rule` is what `verify` wants of the value in the containers.
    """

    name: str
    value: Callable[[Given], str] | None = None
    reserved: bool = False
    secret: bool = False
    required: bool = False
    rule: Rule | None = None


VARIABLES = (
    Variable(
        "ENABLE_LITELLM",
        lambda given: "true" if given.settings.litellm_enabled else "false",
        reserved=True,
        rule=Rule("true or false", lambda value: value in ("true", "false")),
    ),
    Variable(
        "LITELLM_ROLLOUT_PERCENTAGE",
        lambda given: str(given.settings.rollout_percentage),
        reserved=True,
        rule=Rule("0 to 100", lambda value: value.isdecimal() and int(value) <= 100),
    ),
    Variable(
        "LITELLM_BASE_URL",
        lambda given: f"http://{given.host('edge')}:{GATEWAY_INTERNAL_PORT}",
        reserved=True,
        rule=Rule("the edge", lambda value: value.startswith("http://")),
    ),
    Variable("LITELLM_MASTER_KEY", reserved=True),  # never set: the edge adds the key
    Variable(
        "OPENROUTER_API_KEY",
        lambda given: given.friday_key.get_secret_value(),
        reserved=True,
        secret=True,
        required=True,
    ),
    Variable(
        "OPENROUTER_MODEL",
        lambda given: given.settings.friday.direct_model,
        reserved=True,
        rule=Rule("a free model", lambda value: value.endswith(":free")),
    ),
    Variable("OPENROUTER_BASE_URL", lambda given: given.upstream, reserved=True),
    Variable("PORT", lambda _: str(PORT), reserved=True, rule=Rule(str(PORT), lambda value: value == str(PORT))),
    Variable("JWT_SECRET", lambda given: given.settings.jwt_secret.get_secret_value(), secret=True, required=True),
    Variable("DATABASE_URL", required=True),
    Variable("OWNER_OPEN_ID", required=True),
    Variable("VITE_APP_ID", required=True),
    # The reference Friday's own.
    Variable("DRAIN_SECONDS", lambda _: str(DRAIN_SECONDS)),
    Variable("GRACE_SECONDS", lambda given: str(given.settings.friday.stop_grace_seconds - DRAIN_SECONDS)),
)

RESERVED = frozenset(variable.name for variable in VARIABLES if variable.reserved)
REQUIRED = tuple(variable.name for variable in VARIABLES if variable.required)
REQUIRED_OF_THE_TEAM = tuple(variable.name for variable in VARIABLES if variable.required and variable.value is None)


def values(given: Given, *, secret: bool) -> dict[str, str]:
    """Return what the stack sets: the secret variables, or the others."""
    return {each.name: each.value(given) for each in VARIABLES if each.value and each.secret is secret}
