"""`fridayctl backup`: save what a stack cannot do without, should this machine be lost."""

import datetime as dt
from pathlib import Path

import click

from cli.arguments import json_option, line, print_json, reporter, stack_name
from cli.passphrase import passphrase_file_option, read_passphrase

EPILOG = """\b
Examples:
  ./fridayctl backup                          every stack whose state is here
  ./fridayctl backup prod -o /media/usb/prod.tar
  ./fridayctl backup --passphrase-file ~/.backup-passphrase     for cron

In it: state, history, stack files, passphrase and secrets of this machine, and
what Prometheus and Alertmanager have on the hosts. Not in it: images, tools,
and the files that a stack file names, such as ssh keys; the command lists them.

The file is encrypted with the passphrase that you give, in age's format, and
only you can read it (0600). Without that passphrase nobody can open it. Keep
both, and not in one place.

\b
Exit codes:
  0  the backup is written and whole
  1  a host was lost, or somebody updates a stack
  2  a wrong name, a damaged state, a host that is not reached, or no place to
     write to (no file is left)
"""


def _stack_names(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(stack_name(ctx, parameter, each) for each in values))


@click.command("backup", epilog=EPILOG)
@click.argument("stacks", nargs=-1, metavar="[STACK]...", callback=_stack_names)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file (default: friday-backup-<time>.tar).")
@passphrase_file_option
@click.option("--no-metrics", is_flag=True, help="Leave out what the hosts have; no host is asked.")
@json_option
def backup_command(
    stacks: tuple[str, ...], output: Path | None, passphrase_file: Path | None, no_metrics: bool, as_json: bool
) -> None:
    """Save state, settings and metrics of stacks in one file.

    Each STACK is one of them (default: every stack whose state is here).
    It is encrypted; `restore` puts it back, on another machine too.
    """
    from ops.commands.backup import BackupRequest, save  # noqa: PLC0415 - Docker's library loads only when needed

    target = output or Path(f"friday-backup-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}.tar")
    passphrase = read_passphrase(passphrase_file, new=True)
    done = save(BackupRequest(stacks, target, passphrase, metrics=not no_metrics), reporter(as_json))
    if as_json:
        print_json({"path": done.path, "bytes": done.size, **done.manifest.model_dump(mode="json", by_alias=True)})
        return
    for stack in done.manifest.stacks:
        for each in stack.left_out:
            line("not in it", f"{stack.name}: {each}")
    line("done", f"{done.path}, {done.size / 1e6:.1f} MB, encrypted: ./fridayctl restore {done.path} puts it back")
