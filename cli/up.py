"""`fridayctl up`: set this machine up, deploy a stack, check it."""

import time
from collections.abc import Mapping
from dataclasses import asdict

import click

from cli.arguments import json_option, line, opened, print_json, reporter, stack_argument, wait_option
from components.settings.parts import FridaySettings

EPILOG = """\b
Examples:
  ./fridayctl up                  the local stack: no account or key is needed
  ./fridayctl up local --json     the same, for a script
  pulumi config set rolloutPercentage 10 -s local && ./fridayctl up

OpenRouter is asked whether every model is still there and free, and what it
has booked on the keys. Use --offline where this machine does not reach it;
each call carries a price limit of 0 in any case.

hooks/pre-up beside the stack files may refuse the update, and hooks/post-up
runs after it (docs/NOTIFICATIONS.md).

\b
Exit codes:
  0  the stack is up and checked
  1  the update, a check or hooks/pre-up failed
  2  a wrong setting, a missing tool, or a failed preflight check (nothing was
     changed)
"""


@click.command("up", epilog=EPILOG)
@stack_argument
@click.option("-m", "--message", default="", help="The message of this update in the stack's history.")
@click.option("--offline", is_flag=True, help="Do not ask OpenRouter for prices and keys first.")
@wait_option
@json_option
def up_command(stack: str, message: str, offline: bool, wait_seconds: int, as_json: bool) -> None:
    """Set this machine up, deploy a stack and check it.

    STACK (default: local) becomes what Pulumi.STACK.yaml says.
    """
    from ops.commands.up import UpRequest, bring_up  # noqa: PLC0415 - Pulumi's libraries load only when needed
    from ops.commands.when_free import when_free  # noqa: PLC0415

    started = time.monotonic()
    deployment = opened(stack, reporter(as_json))
    request = UpRequest(message, offline=offline, by_operator=True)
    result = when_free(deployment, lambda: bring_up(deployment, request), wait_seconds)
    if as_json:
        print_json({"stack": stack, "seconds": round(time.monotonic() - started, 2), **asdict(result)})
        return
    line("done", f"in {time.monotonic() - started:.1f} s")
    click.echo(f"""
  Friday     {result.outputs["fridayUrl"]}
  gateway    {result.outputs["gatewayUrl"]} (callers need the gateway key)
  metrics    {result.outputs.get("prometheusUrl", "inside the Swarm: docs/MONITORING.md")}
{_further(result.outputs)}  next       {_next(result.outputs["fridayUrl"], deployment.settings.friday)}
             ./fridayctl status {stack} · ./fridayctl logs {stack} · ./fridayctl down {stack}""")


def _further(outputs: Mapping[str, object]) -> str:
    """Return a line for each further page of the stack, with an address of its own: Alertmanager's, Grafana's."""
    about = {
        "alertsUrl": "  alerts     {}\n",
        "grafanaUrl": "  Grafana    {} (user admin, its password is the setting grafanaPassword)\n",
    }
    return "".join(text.format(outputs[name]) for name, text in about.items() if outputs.get(name))


def _next(url: object, friday: FridaySettings) -> str:
    """Return a command that asks Friday: a chat where its image has the reference's, else its health path."""
    # An address is no name that a certificate is for.
    curl = "curl -sik" if str(url).startswith("https:") else "curl -si"
    if friday.asked_chat_path is None:
        return f"{curl} {url}{friday.health_path}"
    return f"""{curl} {url}{friday.asked_chat_path} -H 'content-type: application/json' \\
                  -d '{{"user_id": 7, "message": "What can you do?"}}'"""
