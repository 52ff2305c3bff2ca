"""`fridayctl restore`: put a backup back, on another machine too."""

from pathlib import Path

import click

from cli.arguments import json_option, line, print_json, reporter
from cli.passphrase import passphrase_file_option, read_passphrase

EPILOG = """\b
Examples, on a new machine:
  git clone … && cd friday-litellm
  ./fridayctl restore /media/usb/prod.tar
  ./fridayctl up prod

The file is checked as a whole before anything is touched. State and settings
change in one step, also when this command is killed. Where a state is here
already, or a stack file with changes of its own, --replace is needed, and
keeps what was here in .state/replaced/.

Metrics go to hosts that have none for that stack. What a host has stays.

\b
Exit codes:
  0  the backup is back
  1  a host was lost, or somebody updates one of the stacks (here nothing was
     changed)
  2  no backup, a damaged or newer one, another passphrase, something that it
     would replace, or no room (nothing was changed)
"""


@click.command("restore", epilog=EPILOG)
@click.argument("file", type=click.Path(path_type=Path))
@passphrase_file_option
@click.option("--replace", is_flag=True, help="Put it in the place of what is here, which is kept aside.")
@click.option("--no-metrics", is_flag=True, help="Leave the hosts alone; none is asked.")
@json_option
def restore_command(file: Path, passphrase_file: Path | None, replace: bool, no_metrics: bool, as_json: bool) -> None:
    """Put back what `backup` has saved: state, settings and metrics.

    FILE is what `backup` has written.
    """
    from ops.commands.restore_backup import RestoreRequest, restore  # noqa: PLC0415 - Docker's library loads late

    passphrase = read_passphrase(passphrase_file, new=False)
    done = restore(RestoreRequest(file, passphrase, replace=replace, metrics=not no_metrics), reporter(as_json))
    names = [stack.name for stack in done.manifest.stacks]
    if as_json:
        found = {"kept": done.kept, "filled": done.filled, "missingImages": done.missing}
        print_json({"stacks": names, "madeAt": done.manifest.made_at, "commit": done.manifest.commit, **found})
        return
    if done.kept:
        line("kept", f"what was here: {done.kept}")
    for image in done.missing:
        line("missing", f"{image} is on no host that answers: a rollback to it needs it there")
    for stack in done.manifest.stacks:
        for each in stack.left_out:
            line("not in it", f"{stack.name}: {each}")
    line("done", f"next: {' · '.join(f'./fridayctl up {name}' for name in names)}")
