"""Which variables are secrets, by name and by value. A doubt makes one a secret: encrypted it works just the same."""

import re
from collections.abc import Iterable, Mapping

_NAME = re.compile(
    r"(^|_)(KEYS?|APIKEY|SECRETS?|TOKENS?|PASS|PASSWORDS?|PASSWD|PWD|PASSPHRASE|PIN|CREDENTIALS?|CREDS|AUTH|PRIVATE|SALT|"
    r"DSN|COOKIE|SIGNATURE|SIGNING|WEBHOOK|CERT|CERTIFICATE|BEARER|SESSION|ENCRYPTION|LICENSE)(_|\d|$)"
    r"|(DATABASE|DB|POSTGRES|POSTGRESQL|PG|MYSQL|MONGO|MONGODB|REDIS|AMQP|RABBITMQ|SMTP)_(URL|URI)$"
    r"|CONNECTION_?STRING|(^|_)PGPASS|SECRET|PASSWORD|TOKEN"
)
_VALUE = re.compile(
    r"://[^/\s@]+@"  # a URL with a user or a password
    r"|-----BEGIN|\beyJ[\w-]{8,}\.|\b(sk|pk|rk|ghp|gho|ghs|glpat|xox[abprs]|npm|shp(at|ss))[-_]\w|\bAKIA[0-9A-Z]{12}|\bAIza"
    r"|[?&](\w*(key|token|secret|password|passwd|sig|signature|auth)\w*)=[^&\s]"
    r"|\b(pass(word)?|pwd|secret|token|api_?key)\s*[=:]\s*\S",
    re.IGNORECASE,
)
_RANDOM = re.compile(r"(?=[^\s]*\d)(?=[^\s]*[A-Za-z])[A-Za-z0-9+/_=.~-]{24,}")
_WORD = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9+=_-]{32,}")
_LEAST = 4
LEAST_IN_TEXT = 8
"""Letters from which on a secret's value is looked for outside of variables: shorter ones are there by chance."""


def is_secret(name: str, value: str) -> bool:
    """Return whether a variable has to be encrypted: by its name, or by what its value looks like."""
    return bool(_NAME.search(name.upper()) or _VALUE.search(value) or _RANDOM.fullmatch(value))


def secrets_of(environment: Mapping[str, str]) -> set[str]:
    """Return the names that have to be encrypted, those included that repeat another one's value."""
    secret = {name for name, value in environment.items() if is_secret(name, value)}
    rest = environment.keys() - secret
    values = [environment[name] for name in secret]
    return secret | {name for name in rest if shows(environment[name], values, _LEAST)}


def shows(text: str, values: Iterable[str], least: int = LEAST_IN_TEXT) -> bool:
    """Return whether a text holds one of the values that have at least so many letters."""
    return any(value in text for value in values if len(value) >= least)


def looks_secret(text: str) -> bool:
    """Return whether a text that is no variable, such as a word of a command, looks like a secret or holds one."""
    option, _, value = text.partition("=")
    name = option.lstrip("-").replace("-", "_").upper()
    return bool(_VALUE.search(text) or (value and _NAME.search(name)) or _WORD.fullmatch(value or text))
