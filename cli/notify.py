"""`fridayctl notify`: are those whom the stack file names reached?"""

import click

from cli.arguments import json_option, opened, print_json, report_aside, stack_argument

EPILOG = """\b
Examples:
  ./fridayctl notify test prod
  ./fridayctl notify test prod --json

\b
Set a channel up first (docs/NOTIFICATIONS.md):
  pulumi config set --secret --path notify.slack.url -s prod

\b
Exit codes:
  0  every channel took the message and the alert
  1  one did not
  2  no channel is set up, or the settings are wrong
"""


@click.group("notify", epilog=EPILOG)
def notify_command() -> None:
    """Who is told what happens to a rollout: try it."""


@notify_command.command("test", epilog=EPILOG)
@stack_argument
@json_option
def test_command(stack: str, as_json: bool) -> int:
    """Send a test message by every channel of a stack.

    STACK is local by default. Its setting `notify` names the channels. Where an Alertmanager runs it sends a test alert
    to those that are told of alerts, and its end a minute later. Nothing else is done.
    """
    from ops.commands.notify_test import try_channels  # noqa: PLC0415 - Pulumi's libraries load only when needed

    tried = try_channels(opened(stack, report_aside))
    ok = not any(each.problem for each in tried)
    if as_json:
        found = [{"channel": each.channel, "ok": not each.problem, **each.figures} for each in tried]
        print_json({"stack": stack, "ok": ok, "channels": found})
    for each in tried if not as_json else ():
        state = f"FAIL  {each.problem}" if each.problem else f"ok    told within {each.seconds:.1f} s"
        click.echo(f"{each.name:<18}{state}")
        if each.problem:
            click.echo(f"{'':<24}fix: {each.fix}")
    return 0 if ok else 1
