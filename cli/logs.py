"""`fridayctl logs`: what the containers say."""

import contextlib
import threading
from typing import Any

import click

from cli.arguments import opened, report_aside, stack_argument
from components import edge_ports
from components.parts import NAMES

EPILOG = """\b
Examples:
  ./fridayctl logs                     the last lines of each container
  ./fridayctl logs local litellm -f    follow the gateway (Ctrl-C ends)
  ./fridayctl logs local --tail 200
"""


@click.command("logs", epilog=EPILOG)
@stack_argument
@click.argument("part", required=False)
@click.option("-f", "--follow", is_flag=True, help="Print new lines as they come.")
@click.option("--tail", default=20, show_default=True, type=click.IntRange(0, 100000), help="Lines of each container.")
def logs_command(stack: str, part: str | None, follow: bool, tail: int) -> None:
    """Print the logs of a stack's containers.

    Each line of STACK (default: local) begins with the name of its container. PART is one of its parts, or a role.
    """
    deployment = opened(stack, report_aside)
    known = [*NAMES, edge_ports.NAME, *deployment.settings.friday.roles]
    if part and part not in known:
        raise click.BadParameter(f"{part!r} is not one of {', '.join(known)}.", param_hint="PART")
    hosts = deployment.hosts
    alone = len(hosts.addresses) == 1
    asked = [hosts.manager] if alone else hosts.answering(lambda text: click.echo(text, err=True)).values()
    found = [each for host in asked for each in host.logs(stack, part or "", tail)]
    if not found:
        raise click.UsageError(f"{stack} runs no {part or 'container'}; ./fridayctl status {stack} lists what runs")
    prefix = f"friday-{stack}-"
    threads = []
    for name, lines, container in found:
        short = name.removeprefix(prefix)
        for text in lines:
            click.echo(f"{short} | {text.decode(errors='replace')}")
        if follow:
            threads.append(threading.Thread(target=_follow, args=(short, container), daemon=True))
    for thread in threads:
        thread.start()
    with contextlib.suppress(KeyboardInterrupt):  # how one stops following
        for thread in threads:
            thread.join()


def _follow(name: str, container: Any) -> None:
    for text in container.logs(stream=True, follow=True, tail=0, timestamps=True):
        click.echo(f"{name} | {text.decode(errors='replace').rstrip()}")
