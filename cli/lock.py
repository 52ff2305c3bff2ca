"""`fridayctl lock`: writes the hash locks again."""

import click

EPILOG = """\b
Examples:
  ./fridayctl lock             after a change of a requirements file
  ./fridayctl upgrade python   the newest versions that the files allow
"""


@click.command("lock", epilog=EPILOG)
def lock_command() -> None:
    """Write the hash locks of the Python packages again.

    Each lock in requirements/ and images/ is made from its .in file. Versions that still fit stay.
    """
    from toolchain import lock, paths  # noqa: PLC0415 - other commands must not pay for it

    changed = lock.rewrite(False, lambda line: click.echo(line, err=True), paths.ROOT)
    for path in changed:
        click.echo(f"changed: {path.relative_to(paths.ROOT)}")
    if not changed:
        click.echo("every lock is as its requirements file wants it")
