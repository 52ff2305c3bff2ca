"""Where the variables of a compose service go: plain settings, encrypted ones, or nowhere."""

import re

from pydantic import TypeAdapter, ValidationError

from components.friday_environment import RESERVED, VARIABLES
from components.settings.base import Secret
from components.settings.stack import SECRET_MAP
from ops.compose.placement import Placement
from ops.compose.secrecy import secrets_of

_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")
_MOST = 8192
# YAML 1.2, section 5.1; what YAML itself takes for the end of a line would not come back as it was.
_PRINTABLE = re.compile(r"[\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")
_FREE_MODEL = re.compile(r"[a-z0-9._-]+/[a-z0-9._-]+:free")
# What the stack gives Friday itself; another value in the stack file would be refused, or not be seen.
_MANAGED = RESERVED | {each.name for each in VARIABLES if not (each.teams or each.secret or each.optional)}
# Settings of their own for variables that hold a secret.
_KEYS = {"JWT_SECRET": "jwtSecret", "OPENROUTER_API_KEY": "fridayOpenrouterApiKey"}
_SECRET: TypeAdapter[object] = TypeAdapter(Secret)
_NEW = {
    "jwtSecret": "pulumi config set --secret jwtSecret; with another value than today's users log in again",
    "fridayOpenrouterApiKey": "pulumi config set --secret fridayOpenrouterApiKey",
}
# Variables by which a proxy in front finds its containers: they mean nothing at the edge.
_OF_A_PROXY = ("VIRTUAL_HOST", "VIRTUAL_PORT", "LETSENCRYPT_HOST", "LETSENCRYPT_EMAIL")


def place_environment(placement: Placement) -> None:
    """Give each variable of the service its place."""
    environment = placement.service.environment
    secret = secrets_of(environment)
    for name in secret:
        placement.keep_secret(environment[name])
    plain: dict[str, str] = {}
    for name, value in environment.items():
        if name in _KEYS:
            _own_key(placement, name, value)
        elif name == "OPENROUTER_MODEL":
            _model(placement, value)
        elif name in _MANAGED:
            placement.managed.append(name)
        elif why_and_fix := _no_place(name, value, name in secret):
            placement.leave(f"environment {name}", *why_and_fix)
        elif name in secret and value:
            placement.secrets[f"{SECRET_MAP}.{name}"] = value
        else:
            plain[name] = value  # one that is empty has nothing to encrypt
    for name in placement.service.without_value:
        why = "it has no value: compose hands the shell's on, and this shell has none"
        placement.leave(f"environment {name}", why, f"export {name}=…, or give it a value")
    if plain:
        placement.friday["environment"] = plain


def _no_place(name: str, value: str, is_secret: bool) -> tuple[str, str] | None:
    """Return why a variable has no place and what to do; None when it has one."""
    if not _NAME.fullmatch(name):
        return "a name is capital letters, digits and _", "let the app read it by such a name, if it reads it at all"
    if name in _OF_A_PROXY:
        fix = "let the proxy send requests to the edge's address and port"
        return "a proxy finds its containers by it, and Friday's publish no port", fix
    if is_secret:
        return ("it has a NUL character", "give another value") if "\0" in value else None
    if len(value) > _MOST:
        return f"it has more than {_MOST} characters", "let the app read it from a file of its image"
    if not _PRINTABLE.fullmatch(value):
        return "it has characters that no YAML file holds", "give another value"
    return None


def _own_key(placement: Placement, name: str, value: str) -> None:
    key = _KEYS[name]
    try:
        _SECRET.validate_python(value)
    except ValidationError:
        why = "it should have 16 to 512 letters, digits or any of . _ ~ + / = -"
        placement.leave(f"environment {name}", why, _NEW[key])
    else:
        placement.secrets[key] = value


def _model(placement: Placement, value: str) -> None:
    if _FREE_MODEL.fullmatch(value):
        placement.friday["directModel"] = value
    else:
        why = "friday.directModel takes free models only (vendor/model:free)"
        placement.leave("environment OPENROUTER_MODEL", why, "pulumi config set --path friday.directModel MODEL")
