"""`fridayctl preflight`: what would go wrong, before anything changes."""

from typing import TYPE_CHECKING

import click

from cli.arguments import json_option, print_json, report_aside, stack_argument
from ops.errors import EXIT_USAGE

if TYPE_CHECKING:
    from ops.checks.preflight.report import Report

_MARKS = {"ok": "ok", "warning": "warn", "failed": "FAIL", "skipped": "--"}

EPILOG = """\b
Examples:
  ./fridayctl preflight
  ./fridayctl preflight prod && ./fridayctl up prod
  ./fridayctl preflight prod --json

\b
Exit codes: 0 nothing stands in the way, 2 a check failed or the settings are wrong.
A check that cannot be asked (free disk over tcp://) is skipped, one about what comes later warns; both fail nothing.
"""


@click.command("preflight", epilog=EPILOG)
@stack_argument
@json_option
def preflight_command(stack: str, as_json: bool) -> int:
    """Look at STACK (default: local) for what would make an update fail. Changes nothing.

    Each host: reached, new enough, in the Swarm, images there or to be had, ports free, memory and disk enough,
    clock in step. OpenRouter: every model there, every price 0, none to be retired soon, keys valid and $0 booked on
    them. History: an update to go back to. `up` asks all of that but memory, disk, clock and history by itself,
    `promote` everything.
    """
    from ops.checks.preflight.run import examine  # noqa: PLC0415 - Docker's library loads only when needed
    from ops.deployment import Deployment  # noqa: PLC0415

    report = examine(Deployment.open(stack, report_aside)).report
    if as_json:
        print_json(report.document())
    else:
        _print(report)
    return 0 if report.ok else EXIT_USAGE


def _print(report: "Report") -> None:
    hosts = list(dict.fromkeys(check.host for check in report.checks))
    for host in sorted(hosts, key=lambda host: host == ""):  # what concerns the whole stack comes last
        click.echo(host or report.stack)
        for check in (check for check in report.checks if check.host == host):
            click.echo(f"  {_MARKS[check.state]:<6}{check.name:<22}{check.found.removeprefix(f'{host}: ')}")
            if check.mend:
                lines = [*check.details.splitlines(), f"  mend: {check.mend}"]
                click.echo("\n".join(f"{'':<28}{line}" for line in lines))
    failed, warnings = len(report.failed), len(report.warnings)
    ended = f"{failed} failed" if failed else "none failed"
    warned = f", {warnings} to look at" if warnings else ""
    click.echo(f"{report.stack}: {len(report.checks)} checks, {ended}{warned}")
