"""`fridayctl env`: the environment for plain Pulumi."""

import os
import shlex

import click

EPILOG = """\b
Examples:
  eval "$(./fridayctl env)"    then: pulumi up -s local, pulumi stack history
  ./fridayctl env >> .envrc    for direnv

Your own PULUMI_BACKEND_URL or PULUMI_CONFIG_PASSPHRASE(_FILE) is kept.
"""


@click.command("env", epilog=EPILOG)
def env_command() -> None:
    """Print the environment for plain Pulumi.

    These are export lines of a POSIX shell for the pinned tools and the local state.
    """
    from toolchain import paths  # noqa: PLC0415 - other commands must not pay for it
    from toolchain.environment import environment  # noqa: PLC0415

    variables = environment()
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")
    ours = paths.passphrase_file()
    without_state = variables.get("PULUMI_CONFIG_PASSPHRASE_FILE") == str(ours) and not ours.exists()
    if without_state or not os.access(paths.tools_bin() / "pulumi", os.X_OK):
        fix = "mount .state, or set PULUMI_CONFIG_PASSPHRASE" if paths.IN_OPERATOR_IMAGE else "./fridayctl setup"
        click.echo(f"fridayctl: the tools or the local state are not there yet; fix: {fix}", err=True)
