"""The environment variables that Friday AI reads (README of TekupDK/friday-ai): this is the only list of them.

What the stack sets them to is in `components/friday.py`.
"""

from dataclasses import dataclass

PORT = 3000


@dataclass(frozen=True)
class Variable:
    """One variable.

    One that is `reserved` cannot be set by a stack file: another value would point Friday at another host or another
    price. A `secret` goes into a file, NAME_FILE, where Friday reads files. Friday does not start without a `required`
    one. The stack does not set what is the `teams` own (`friday.environment`, `fridaySecrets`), and what is `optional`
    only where a setting asks for it. `verify` wants the value in the containers to be of the `pattern`, a regular
    expression; `rule` completes "NAME should be ...".
    """

    name: str
    reserved: bool = False
    secret: bool = False
    required: bool = False
    teams: bool = False
    optional: bool = False
    rule: str = ""
    pattern: str = ".*"


VARIABLES = (
    Variable("ENABLE_LITELLM", reserved=True, rule="true or false", pattern="true|false"),
    Variable("LITELLM_ROLLOUT_PERCENTAGE", reserved=True, rule="0 to 100", pattern=r"0*(\d\d?|100)"),
    Variable("LITELLM_TESTERS", reserved=True, optional=True, rule="user ids with commas", pattern=r"(\d+(,\d+)*)?"),
    Variable("LITELLM_COMPARE_TESTERS", reserved=True, optional=True, rule="true", pattern="(true)?"),
    Variable("LITELLM_BASE_URL", reserved=True, rule="the edge", pattern="http://.*"),
    Variable("LITELLM_MASTER_KEY", reserved=True),  # never set: the edge adds the key
    Variable("OPENROUTER_API_KEY", reserved=True, secret=True, required=True),
    Variable("OPENROUTER_MODEL", reserved=True, rule="a free model", pattern=".*:free"),
    Variable("OPENROUTER_BASE_URL", reserved=True),
    Variable("PORT", reserved=True, rule=str(PORT), pattern=str(PORT)),
    Variable("JWT_SECRET", secret=True, required=True),
    Variable("DATABASE_URL", required=True, teams=True),
    Variable("OWNER_OPEN_ID", required=True, teams=True),
    Variable("VITE_APP_ID", required=True, teams=True),
    # The reference Friday's own.
    Variable("DRAIN_SECONDS"),
    Variable("GRACE_SECONDS"),
    # Set where `dataPolicy` is: what its direct path asks of providers.
    Variable("OPENROUTER_DATA_COLLECTION", optional=True),
    Variable("OPENROUTER_ZDR", optional=True),
)

RESERVED = frozenset(variable.name for variable in VARIABLES if variable.reserved)
REQUIRED = tuple(variable.name for variable in VARIABLES if variable.required)
REQUIRED_OF_THE_TEAM = tuple(variable.name for variable in VARIABLES if variable.required and variable.teams)
