"""A stack's settings with its secrets in plain text: to compare what runs with what is declared, never for a screen."""

from pulumi import automation as auto

from components.settings.source import NAMESPACE, from_pulumi, generated_secrets
from components.settings.stack import StackSettings
from ops.errors import EXIT_USAGE, OperationError
from ops.stacks.missing_secrets import missing_secrets
from ops.stacks.pulumi_errors import errors_of
from ops.stacks.stack_file import stack_file
from ops.stacks.stacks import open_stack
from toolchain.environment import environment


def reveal(name: str, settings: StackSettings) -> StackSettings:
    """Return the settings that were read, with secrets; Pulumi decrypts those of the file when there are any in it.

    Raises SettingsError or OperationError (exit code 2) when something is wrong or cannot be decrypted.
    """
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
