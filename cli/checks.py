"""How a report of checks is shown, whoever made it."""

import click

from ops.checks.report import Check, Report

_MARKS = {"ok": "ok", "warning": "warn", "failed": "FAIL", "skipped": "--"}
_DETAILS = " " * 28


def show_report(report: Report, *, only_failed: bool = False) -> None:
    """Print each check, grouped by host, and one line that sums up; nothing when all that is to be shown passed."""
    shown = report.failed if only_failed else report.checks
    hosts = list(dict.fromkeys(check.host for check in shown))
    for host in sorted(hosts, key=lambda host: host == ""):  # what concerns the whole stack comes last
        click.echo(host or report.stack)
        for check in (check for check in shown if check.host == host):
            click.echo("\n".join(_about_part(check) if check.part else _about_host(check)))
    if report.failed or not only_failed:
        failed, warnings = len(report.failed), len(report.warnings)
        ended = f"{failed} failed" if failed else "none failed"
        warned = f", {warnings} to look at" if warnings else ""
        click.echo(f"{report.stack}: {len(report.checks)} checks, {ended}{warned}")


def _about_host(check: Check) -> list[str]:
    more = (*check.problems, f"  fix: {check.fix}") if check.fix else ()
    found = check.found.removeprefix(f"{check.host}: ")
    return [f"  {_MARKS[check.state]:<6}{check.name:<22}{found}", *(f"{_DETAILS}{line}" for line in more)]


def _about_part(check: Check) -> list[str]:
    why = f" ({check.found})" if check.found else ""
    first = f"  {_MARKS[check.state]:<6}{check.part}: {check.name}{why}"
    return [first, *(f"{'':<8}{line}" for line in check.problems)]
