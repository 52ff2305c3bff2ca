"""`fridayctl rollback`: back to where it was good, in seconds."""

import datetime as dt
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from cli.arguments import age, json_option, line, opened, print_json, reporter, stack_argument, wait_option
from ops.errors import OperationError
from ops.rollout.history import Entry, good_targets
from ops.rollout.rollback_plan import DEFAULT, LEVELS, RollbackRequest
from ops.rollout.steps import in_words

if TYPE_CHECKING:
    from ops.deployment import Deployment

_RESTORING = " or ".join(str(each.number) for each in LEVELS.values() if each.restores)
_SHOWN = "\n".join(
    f"  {each.number}  {in_words(dt.timedelta(seconds=each.seconds)):>6}  {each.words}" for each in LEVELS.values()
)
EPILOG = f"""\b
Levels, and how long each takes at most:
{_SHOWN}

\b
Examples:
  ./fridayctl rollback prod                   level 2: the last good update
  ./fridayctl rollback prod --level 1 --yes   everybody leaves LiteLLM
  ./fridayctl rollback prod --list            the updates to go back to
  ./fridayctl rollback prod --to 2 --reason "slow since Monday"
  ./fridayctl rollback prod --yes --wait 300  also while an update is going on

The gateway is closed at the edge first: within a second no new request goes
through it. Running requests finish, and Friday answers over the direct path.
Secrets stay as they are today. Neither the gates nor a hook are asked;
hooks/post-rollback runs when all else is done.

\b
Exit codes:
  0  rolled back, and users are answered; anything else that is not healthy is
     named (in --json: unhealthy)
  1  an update failed (the gateway stays closed at the edge), or users are not
     answered as they should be
  2  nothing to go back to, or a wrong argument (nothing was changed)
"""


@click.command("rollback", epilog=EPILOG)
@stack_argument
@click.option(
    "--level",
    type=click.IntRange(min(LEVELS), max(LEVELS)),
    default=DEFAULT.number,
    show_default=True,
    help="How far back; see below.",
)
@click.option("--to", default="", help=f"An update of --list, by its number or its time (levels {_RESTORING}).")
@click.option("--list", "listed", is_flag=True, help="List the updates to go back to; change nothing.")
@click.option("--reason", default="", help="Why; kept in the history.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@wait_option
@json_option
def rollback_command(stack: str, level: int, *, listed: bool, yes: bool, as_json: bool, **asked: Any) -> None:
    """Go back to a good state, within seconds.

    The gateway of STACK (default: local) is closed at the edge at once. A stack update then makes that last.
    """
    from ops.commands.rollback import roll_back  # noqa: PLC0415 - --help does not need it

    chosen = LEVELS[level]
    deployment = opened(stack, reporter(as_json))
    if listed:
        _list(deployment, as_json)
        return
    if asked["to"] and not chosen.restores:
        raise click.BadParameter(f"level {level} goes back to no update; leave --to out, or take level {_RESTORING}")
    if not yes:
        click.confirm(f"Roll {stack} back at level {level}?", abort=True, err=True)
    started = time.monotonic()
    done = roll_back(deployment, RollbackRequest(chosen, asked["to"], asked["reason"]), asked["wait_seconds"])
    if as_json:
        print_json({"stack": stack, **asdict(done)})
        return
    parts = ", ".join(f"{name} after {seconds:.1f} s" for name, seconds in done.seconds.items())
    line("done", f"{done.percentage} % of users through LiteLLM; {parts}; {time.monotonic() - started:.1f} s in all")
    if chosen.by_its_code:
        click.echo("\n  The working tree is as it was: revert the commits in question before the next ./fridayctl up.")


def _list(deployment: "Deployment", as_json: bool) -> None:
    from ops.checks.rollback_target import shelf_of  # noqa: PLC0415

    targets = good_targets(deployment.history)
    shelf = shelf_of(deployment)
    found = [(entry, shelf.problem(entry)) for entry in targets]
    if as_json:
        print_json([_document(entry, problem) for entry, problem in found])
        return
    now = dt.datetime.now(dt.UTC)
    for number, (entry, problem) in enumerate(found, start=1):
        commit = (entry.commit or "no commit")[:9] + ("+changes" if entry.dirty else "")
        images = ", ".join(sorted(entry.images.values())) or "built here"
        ago = f"{age(now - entry.at):>10} ago"
        click.echo(f"{number:>3}  {entry.at:%Y-%m-%d %H:%M:%S}  {ago}  {entry.percentage:>3} %  {commit}")
        click.echo(f"     {entry.message}; images: {images}")
        if problem:
            click.echo(f"     cannot be restored: {problem.message}; fix: {problem.fix}")
    if not targets:
        click.echo(f"nothing: the history of {deployment.name} holds no other good update")


def _document(entry: Entry, problem: OperationError | None) -> dict[str, object]:
    return {**entry.model_dump(), "percentage": entry.percentage, "problem": problem and problem.message}
