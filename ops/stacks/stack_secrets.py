"""A stack's secrets: those that nobody gave are generated and kept encrypted in its stack file, and all decrypted."""

import subprocess
from pathlib import Path

from pulumi import automation as auto
from pydantic import SecretStr
from pydantic.alias_generators import to_camel

from components.settings.source import NAMESPACE, from_pulumi, generated_secrets
from components.settings.stack import StackSettings
from ops.errors import EXIT_USAGE, OperationError
from ops.progress import Say
from ops.stacks.pulumi_errors import errors_of
from ops.stacks.stack_file import NOT_GENERATED, read_settings, stack_file
from ops.stacks.stacks import open_stack
from toolchain.environment import environment
from toolchain.local_state import new_secret
from toolchain.paths import STACKS


def missing_secrets(settings: StackSettings) -> dict[str, str]:
    """Return the secrets that are yet to be generated, by their names in the stack file: what stands in for them."""
    held = {to_camel(name): value.get_secret_value() for name, value in settings if isinstance(value, SecretStr)}
    return {name: value for name, value in held.items() if value.startswith(NOT_GENERATED)}


def generate_missing(stack: auto.Stack, say: Say) -> None:
    """Write what is missing into the stack file, encrypted; OperationError (exit code 2) when Pulumi cannot encrypt."""
    for name in missing_secrets(read_settings(stack.name)):
        if problem := encrypt(stack.name, name, new_secret(name)):
            fix = f"fix what it names, or give it: pulumi config set --secret {name} -s {stack.name}"
            raise OperationError(f"{name} cannot be generated", fix, EXIT_USAGE, problem)
        say(f"generated {name}, encrypted in Pulumi.{stack.name}.yaml: commit that file")


def encrypt(stack: str, name: str, value: str, folder: Path = STACKS) -> str:
    """Write a secret into the stack file of a folder, by its path there; return what Pulumi says when it cannot.

    It runs in the environment that opening the stack has set.
    """
    path = ["--path"] if "." in name else []
    done = subprocess.run(
        ["pulumi", "config", "set", "--secret", *path, name, "--raw", "--stack", stack, "--non-interactive"],
        cwd=folder,
        input=value,  # everybody on the machine can read a process's arguments
        capture_output=True,
        text=True,
        check=False,
    )
    return (done.stderr.strip() or "it ended without a word") if done.returncode else ""


def reveal(name: str, settings: StackSettings) -> StackSettings:
    """Return settings with secrets in plain text, never for a screen; SettingsError or OperationError (exit code 2)."""
    if "secure:" not in stack_file(name).read_text(encoding="utf-8"):
        return settings
    try:
        config = open_stack(name).get_all_config()
    except auto.CommandError as error:
        fix = "log in to the backend or the secrets provider that the stack was made with"
        message = f"the secrets of Pulumi.{name}.yaml cannot be decrypted"
        raise OperationError(message, fix, EXIT_USAGE, errors_of(error)) from error
    to_come = {f"{NAMESPACE}:{key}": value for key, value in missing_secrets(settings).items()}
    values = to_come | {key: entry.value or "" for key, entry in config.items()}
    return from_pulumi(values, name, generated_secrets(environment()))
