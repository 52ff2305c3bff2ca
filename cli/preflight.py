"""`fridayctl preflight`: what would go wrong, before anything changes."""

import click

from cli.arguments import is_unattended, json_option, opened, print_json, report_aside, stack_argument
from cli.tables import show_report
from ops.errors import EXIT_USAGE

EPILOG = """\b
Examples:
  ./fridayctl preflight
  ./fridayctl preflight prod && ./fridayctl up prod
  ./fridayctl preflight prod --json

\b
Exit codes:
  0  no check failed
  2  a check failed, or the settings are wrong

A check that cannot be made (free disk over tcp://) is skipped, and one about
the future is a warning. Neither is a failure. A failure is told to the
channels of the setting `notify` when no terminal is there (cron, CI).
"""


@click.command("preflight", epilog=EPILOG)
@stack_argument
@json_option
def preflight_command(stack: str, as_json: bool) -> int:
    """Check what would make an update fail; change nothing.

    Each host of STACK (default: local): it answers, its engine is new enough, can limit memory and is in the Swarm, it
    has or can pull the images, its ports are free, memory and disk suffice, its clock is right. OpenRouter: every
    model is there, every price is 0, no model retires soon, the keys are valid and nothing is booked on them. History:
    there is an update to go back to. `up` makes these checks itself except memory, clock and history, and disk only
    where images are missing; `promote` makes all of them.
    """
    from ops.checks.preflight.run import examine  # noqa: PLC0415 - Docker's library loads only when needed
    from ops.commands.notices import checked  # noqa: PLC0415

    deployment = opened(stack, report_aside)
    report = checked(deployment, "preflight", lambda: examine(deployment).report, unattended=is_unattended())
    if as_json:
        print_json(report.document())
    else:
        show_report(report)
    return 0 if report.ok else EXIT_USAGE
