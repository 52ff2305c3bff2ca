"""`fridayctl verify`: are the hosts as the stack file declares them?"""

import click

from cli.arguments import is_unattended, json_option, opened, print_json, report_aside, stack_argument
from cli.tables import show_report
from ops.checks.report import Check

EPILOG = """\b
Examples:
  ./fridayctl verify
  ./fridayctl verify prod --json
  ./fridayctl verify prod --quiet    for cron: prints failures only

\b
Exit codes:
  0  every check passed
  1  a check failed, or a host does not answer
  2  the settings cannot be read

A check that cannot be made (a port of the host's own over tcp://) is marked
with -- and is no failure. A failure is told to the channels of the setting
`notify` when no terminal is there (cron, CI).
"""


@click.command("verify", epilog=EPILOG)
@stack_argument
@click.option("-q", "--quiet", is_flag=True, help="Print only what failed.")
@json_option
def verify_command(stack: str, quiet: bool, as_json: bool) -> int:
    """Compare the hosts with what the stack file declares.

    For STACK (default: local): what runs, how it runs and who can reach it. Changes nothing.
    """
    from ops.checks.verify.suite import verify  # noqa: PLC0415 - Testinfra and Docker load only when needed
    from ops.commands.notices import checked  # noqa: PLC0415

    deployment = opened(stack, report_aside)
    report = checked(deployment, "verify", lambda: verify(deployment), unattended=is_unattended())
    if as_json:
        print_json({"stack": stack, "ok": report.ok, "checks": [_document(check) for check in report.checks]})
    else:
        show_report(report, only_failed=quiet)
        if not report.ok:
            click.echo(f"next: ./fridayctl drift {stack} reports what changed since the last update, and how to fix it")
    return 0 if report.ok else 1


def _document(check: Check) -> dict[str, object]:
    skipped = check.state == "skipped"
    return {
        "host": check.host,
        "part": check.part,
        "check": check.name,
        "ok": None if skipped else check.state == "ok",
        "problems": check.problems,
        "left_out": check.found if skipped else "",
    }
