"""Which Pulumi has written a stack's state, and what follows where this checkout has an older one.

An older one may not be able to read it. What it can read it writes again without the fields that it does not know, and
says nothing. The form is Pulumi's (sdk/go/common/apitype, `ManifestV1`), read here past the rest of the state, which
may be of a version that nobody here knows.
"""

from pathlib import Path
from typing import Any

from pulumi import automation as auto
from pydantic import BaseModel, ValidationError

from ops.errors import EXIT_USAGE, OperationError
from toolchain import versions


class _Manifest(BaseModel):
    version: str = ""
    time: str = ""

    @property
    def is_newer(self) -> bool:
        """Whether the second number of its version, or the first, is higher than this checkout's; the third is none."""
        return versions.numbers(self.version.removeprefix("v"))[:2] > versions.numbers(versions.PULUMI)[:2]


class _Latest(BaseModel):
    manifest: _Manifest = _Manifest()


class _Checkpoint(BaseModel):
    latest: _Latest | None = None


class _Any(BaseModel):
    checkpoint: _Checkpoint


def of_file(stack: str, state: Path | None) -> OperationError | None:
    """Return the error (exit code 2) for a state in a file that a newer Pulumi has written, else None."""
    try:
        latest = _Any.model_validate_json(state.read_bytes()).checkpoint.latest if state else None
    except (OSError, ValidationError):
        return None  # what is wrong with it is said elsewhere
    return _refusal(stack, latest.manifest) if latest else None


def of_export(stack: str, exported: auto.Deployment) -> OperationError | None:
    """Return the same for a state that Pulumi has given."""
    given: Any = exported.deployment or {}
    try:
        return _refusal(stack, _Latest.model_validate(given).manifest)
    except ValidationError:
        return None


def _refusal(stack: str, made: _Manifest) -> OperationError | None:
    if not made.is_newer:
        return None
    version, since = made.version.removeprefix("v"), made.time[:16].replace("T", " ")
    own = versions.PULUMI
    message = f"the state of {stack} was written by Pulumi {version}, on {since} UTC; this checkout has {own}"
    same = "take the checkout of whoever updated it last: git pull, then ./fridayctl setup"
    knowingly = f'eval "$(./fridayctl env)" && pulumi up -s {stack}'
    return OperationError(message, f"{same}; or go on with this one, if it can read that: {knowingly}", EXIT_USAGE)
