"""The Pulumi program: read the settings, compose the stack, export where it answers."""

import pulumi

from components.settings_source import SettingsError, from_pulumi, generated_secrets
from components.stack import FridayStack
from images.tags import local_images

try:
    settings = from_pulumi(pulumi.runtime.config.get_config_env(), pulumi.get_stack(), generated_secrets())
except SettingsError as error:
    raise pulumi.RunError(str(error)) from None

for name, value in FridayStack(pulumi.get_stack(), settings, local_images()).outputs.items():
    pulumi.export(name, value)
