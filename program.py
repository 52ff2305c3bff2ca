"""The Pulumi program: read the settings, compose the stack, export where it answers.

Plain `pulumi` runs it through __main__.py; the commands run it in their own process (ops/stacks/workspace.py).
"""

import pulumi

from components.settings.source import SettingsError, from_pulumi, generated_secrets
from components.stack import FridayStack
from images.tags import local_images


def program() -> None:
    """Declare the stack that Pulumi runs it for; RunError, with every mistake, when its settings are wrong."""
    config = pulumi.runtime.config
    # The engine hands the settings to a process in its environment, and to a function as they are.
    given = config.CONFIG.get() or config.get_config_env()
    try:
        settings = from_pulumi(given, pulumi.get_stack(), generated_secrets())
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None
    for name, value in FridayStack(pulumi.get_stack(), settings, local_images()).outputs.items():
        pulumi.export(name, value)
