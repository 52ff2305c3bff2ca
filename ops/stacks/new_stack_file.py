"""A new stack file: checked and encrypted beside its place, and put there in one step."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import yaml
from pulumi import automation as auto

from ops.errors import EXIT_USAGE, OperationError, unwritable
from ops.progress import Say
from ops.stacks.stack_file import stack_file
from ops.stacks.stack_secrets import encrypt
from ops.stacks.stacks import open_stack
from toolchain.files import publish, scratch
from toolchain.paths import STACKS

_ENCRYPTION = ("encryptionsalt", "secretsprovider", "encryptedkey")
"""What Pulumi writes beside `config` to find the key again; the stack's state was made with the same."""


def write_new(name: str, document: str, secrets: Mapping[str, str], say: Say) -> Path:
    """Write a stack file with its secrets encrypted, over one that may be there; return where it is.

    The stack is made in the backend where it is new. What an earlier file of the name says of encryption stays.
    OperationError (exit code 2) when Pulumi cannot encrypt, or the folder cannot be written: no file has changed then.
    """
    target = stack_file(name)
    try:
        with scratch(STACKS) as folder:
            shutil.copy(STACKS / "Pulumi.yaml", folder)
            new = folder / target.name
            new.write_text(document + _encryption_of(target), encoding="utf-8")
            _encrypt_all(open_stack(name, folder=folder), secrets, folder, say)
            publish(new, target, 0o644)
    except OSError as error:
        raise unwritable(STACKS, error) from error
    return target


def _encrypt_all(stack: auto.Stack, secrets: Mapping[str, str], folder: Path, say: Say) -> None:
    for number, (key, value) in enumerate(secrets.items(), 1):
        say(f"encrypting {key} ({number} of {len(secrets)})")
        if problem := encrypt(stack.name, key, value, folder):
            # Pulumi names the key in its errors, never the value.
            fix = "fix what it names: the passphrase, or the secrets provider; then the same command again"
            raise OperationError(f"{key} cannot be encrypted", fix, EXIT_USAGE, problem)


def _encryption_of(path: Path) -> str:
    """Return what an earlier stack file says of its encryption, as lines of YAML."""
    if not path.exists():
        return ""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        return ""  # it was given up by whoever replaces it
    kept = {key: found[key] for key in _ENCRYPTION if isinstance(found, dict) and key in found}
    return yaml.safe_dump(kept) if kept else ""
