"""`fridayctl pause` and `resume`: keep a rollout at its step, and let it go on."""

import click

from cli.arguments import json_option, line, one_line, opened, print_json, reporter, stack_argument, wait_option

PAUSE_EPILOG = """\b
Examples:
  ./fridayctl pause prod --reason "holidays"

`promote` refuses until `resume`. Nothing that runs changes.

\b
Exit codes:
  0  paused
  1  the update failed
  2  paused already, not deployed, or the stack file is not deployed yet
"""
RESUME_EPILOG = """\b
Examples:
  ./fridayctl resume prod

\b
Exit codes:
  0  resumed
  1  the update failed
  2  not paused, not deployed, or the stack file is not deployed yet
"""


@click.command("pause", epilog=PAUSE_EPILOG)
@stack_argument
@click.option("--reason", required=True, help="Why; kept in the history.")
@wait_option
@json_option
def pause_command(stack: str, reason: str, wait_seconds: int, as_json: bool) -> None:
    """Pause a rollout: no promotion until it is resumed.

    The users of STACK (default: local) stay on the path that they are on.
    """
    if not reason.strip():
        raise click.BadParameter("should say why", param_hint="--reason")
    _pause_or_resume(stack, "pause", reason, wait_seconds, as_json)


@click.command("resume", epilog=RESUME_EPILOG)
@stack_argument
@click.option("--reason", default="", help="Why; kept in the history.")
@wait_option
@json_option
def resume_command(stack: str, reason: str, wait_seconds: int, as_json: bool) -> None:
    """End the pause of a rollout.

    STACK is local by default.
    """
    _pause_or_resume(stack, "resume", reason, wait_seconds, as_json)


def _pause_or_resume(stack: str, verb: str, reason: str, wait_seconds: int, as_json: bool) -> None:
    from ops.commands.pause import pause_or_resume  # noqa: PLC0415 - Pulumi loads only when needed
    from ops.commands.when_free import when_free  # noqa: PLC0415
    from ops.rollout.history import Verb  # noqa: PLC0415

    deployment = opened(stack, reporter(as_json))
    said = one_line(reason)
    message = when_free(deployment, lambda: pause_or_resume(deployment, Verb(verb), said), wait_seconds)
    if as_json:
        print_json({"stack": stack, "message": message})
    else:
        line("done", message)
