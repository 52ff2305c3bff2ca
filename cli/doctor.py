"""`fridayctl doctor`: what is there, what is missing, how to fix it."""

import click

from cli.arguments import print_json
from cli.tables import show_table
from ops.checks.report import Check, State

EPILOG = """\b
Examples:
  ./fridayctl doctor          a table
  ./fridayctl doctor --json   the same for a script

\b
Exit codes:
  0  everything is there
  1  something is missing
"""

_MARKS = {State.FAILED: "--", State.WARNING: "warn"}


@click.command("doctor", epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
@click.pass_context
def doctor_command(context: click.Context, as_json: bool) -> None:
    """Check this machine's tools; change nothing.

    For each tool and step that is missing the fix is printed.
    """
    from ops.commands import setup  # noqa: PLC0415 - other commands must not pay for it

    checks = setup.examine()
    if as_json:
        print_json([_document(check) for check in checks])
    else:
        rows = [(_MARKS.get(each.state, "ok"), each.name, each.found, each.wanted) for each in checks]
        show_table(("", "what", "found", "wanted"), rows, markup=False)
        for check in checks:
            if check.fix:
                click.echo(f"{check.name}: {check.fix}")
    if any(check.state == "failed" for check in checks):
        context.exit(1)


def _document(check: Check) -> dict[str, object]:
    ok = check.state != "failed"
    return {"name": check.name, "found": check.found, "wanted": check.wanted, "ok": ok, "fix": check.fix}
