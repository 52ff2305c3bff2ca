"""`fridayctl pause` and `resume`: keep a rollout at its step, and let it go on."""

import click

from cli.arguments import json_option, line, one_line, print_json, stack_argument, teller

PAUSE_EPILOG = """\b
Examples:
  ./fridayctl pause prod --reason "holidays"     promote refuses until resume; nothing that runs changes

\b
Exit codes: 0 paused, 1 the update failed, 2 paused already, not deployed, or settings that are not deployed yet.
"""
RESUME_EPILOG = """\b
Examples:
  ./fridayctl resume prod

\b
Exit codes: 0 resumed, 1 the update failed, 2 not paused, not deployed, or settings that are not deployed yet.
"""


@click.command("pause", epilog=PAUSE_EPILOG)
@stack_argument
@click.option("--reason", required=True, help="Why; the history keeps it.")
@json_option
def pause_command(stack: str, reason: str, as_json: bool) -> None:
    """Pause STACK's rollout (default: local): no promotion until `resume`. Users stay where they are."""
    if not reason.strip():
        raise click.BadParameter("should say why", param_hint="--reason")
    _hold(stack, "pause", reason, as_json)


@click.command("resume", epilog=RESUME_EPILOG)
@stack_argument
@click.option("--reason", default="", help="Why; the history keeps it.")
@json_option
def resume_command(stack: str, reason: str, as_json: bool) -> None:
    """End the pause of STACK's rollout (default: local)."""
    _hold(stack, "resume", reason, as_json)


def _hold(stack: str, verb: str, reason: str, as_json: bool) -> None:
    from ops.commands.pause import hold  # noqa: PLC0415
    from ops.rollout.history import Verb  # noqa: PLC0415 - Pulumi's libraries load only when needed

    tell = teller(as_json)
    message = hold(stack, Verb(verb), one_line(reason), tell)
    if as_json:
        print_json({"stack": stack, "message": message})
    else:
        line("done", message)
