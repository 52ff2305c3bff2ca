"""Where a stack's settings stand, and what they say: read without Pulumi, whose libraries take a while to load."""

from pathlib import Path

from components.settings.source import from_stack_file, generated_secrets
from components.settings.stack import GENERATED_KEYS, SECRET_KEYS, StackSettings
from ops.errors import EXIT_USAGE, OperationError
from toolchain.environment import environment
from toolchain.paths import IN_OPERATOR_IMAGE, STACKS

# How the stand-in for a secret begins that set-up, or the first update, has yet to make.
NOT_GENERATED = "not-generated-yet-"


def stack_file(name: str) -> Path:
    """Return where a stack's settings stand."""
    return STACKS / f"Pulumi.{name}.yaml"


def read_settings(name: str) -> StackSettings:
    """Read and check a stack's settings; SettingsError or OperationError (exit code 2) says what is wrong."""
    if not stack_file(name).exists():
        raise _missing(name)
    return read_file(stack_file(name))


def read_file(path: Path) -> StackSettings:
    """Read and check a file that is called as a stack's, wherever it is; SettingsError says what is wrong."""
    # Before the first set-up there are no generated secrets: the rest of the file can be checked without them.
    stand_ins = {key: f"{NOT_GENERATED}{key}" for key in SECRET_KEYS}
    to_come = {key: stand_ins[key] for key in GENERATED_KEYS}
    return from_stack_file(path, generated_secrets(environment()) or stand_ins, to_come)


def _missing(name: str) -> OperationError:
    known = ", ".join(sorted(path.suffixes[0][1:] for path in STACKS.glob("Pulumi.*.yaml")))
    fix = f"name one of the stacks here ({known}), or copy a file from examples/ to Pulumi.{name}.yaml"
    if IN_OPERATOR_IMAGE and not known:
        fix = 'mount the checkout, or the folder of its Pulumi.yaml and stack files: docker run -v "$PWD:/stacks" …'
    return OperationError(f"stack {name!r}: there is no Pulumi.{name}.yaml", fix, EXIT_USAGE)
