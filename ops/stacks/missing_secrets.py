"""Generates the secrets between a stack's parts that nobody gave, and keeps them encrypted in its stack file."""

import subprocess

from pulumi import automation as auto
from pydantic import SecretStr
from pydantic.alias_generators import to_camel

from components.settings.stack import StackSettings
from ops.errors import EXIT_USAGE, OperationError
from ops.progress import Say
from ops.stacks.stack_file import NOT_GENERATED, read_settings
from toolchain.local_state import new_secret
from toolchain.paths import ROOT


def missing_secrets(settings: StackSettings) -> dict[str, str]:
    """Return the secrets that are yet to be generated, by their names in the stack file: what stands in for them."""
    held = {to_camel(name): value.get_secret_value() for name, value in settings if isinstance(value, SecretStr)}
    return {name: value for name, value in held.items() if value.startswith(NOT_GENERATED)}


def generate_missing(stack: auto.Stack, say: Say) -> None:
    """Write what is missing into the stack file, encrypted by Pulumi.

    Raises OperationError (exit code 2) when Pulumi cannot encrypt.
    """
    for name in missing_secrets(read_settings(stack.name)):
        # In the environment that opening the stack has set, and on its standard input: everybody on the machine can
        # read a process's arguments.
        done = subprocess.run(
            ["pulumi", "config", "set", "--secret", name, "--stack", stack.name, "--non-interactive"],
            cwd=ROOT,
            input=new_secret(name),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            fix = f"fix what it names, or give it: pulumi config set --secret {name} -s {stack.name}"
            raise OperationError(f"{name} cannot be generated", fix, EXIT_USAGE, done.stderr.strip())
        say(f"generated {name}, encrypted in Pulumi.{stack.name}.yaml: commit that file")
