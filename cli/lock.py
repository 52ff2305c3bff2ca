"""`fridayctl lock`: writes the hash locks again."""

import click

EPILOG = """\b
Examples:
  ./fridayctl lock             after a change of a requirements file
  ./fridayctl lock --upgrade   the newest versions that the files allow
"""


@click.command("lock", epilog=EPILOG)
@click.option("--upgrade", is_flag=True, help="Take the newest versions allowed instead of keeping the locked ones.")
def lock_command(upgrade: bool) -> None:
    """Write the hash locks of the Python packages again.

    Each lock in requirements/ and images/ is made from its .in file. Without --upgrade versions that still fit stay.
    """
    from toolchain import lock, paths  # noqa: PLC0415 - other commands must not pay for it

    changed = lock.rewrite(upgrade, lambda line: click.echo(line, err=True))
    for path in changed:
        click.echo(f"changed: {path.relative_to(paths.ROOT)}")
    if not changed:
        click.echo("every lock is as its requirements file wants it")
