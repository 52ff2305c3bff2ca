"""`fridayctl dashboards`: a stack's dashboards, for a Grafana of one's own."""

from pathlib import Path

import click

from cli.arguments import json_option, opened, print_json, report_aside, stack_argument

EPILOG = """\b
Examples:
  ./fridayctl dashboards export prod
  ./fridayctl dashboards export prod -o /etc/grafana/dashboards
  ./fridayctl dashboards export prod --json   all of them, and no file

\b
Import each file (Grafana: Dashboards, New, Import) and choose the Prometheus
that scrapes the stack. With monitoring.grafana.image the stack has a Grafana
of its own that has them already (docs/MONITORING.md).

\b
Exit codes:
  0  the files are written
  2  the settings are wrong, or the folder cannot be written
"""


@click.group("dashboards", epilog=EPILOG)
def dashboards_command() -> None:
    """Dashboards for Grafana: export them."""


@dashboards_command.command("export", epilog=EPILOG)
@stack_argument
@click.option(
    "-o",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("dashboards"),
    show_default=True,
    help="The folder to write into; files of the same names are replaced.",
)
@json_option
def export_command(stack: str, folder: Path, as_json: bool) -> None:
    """Write the dashboards of STACK (default: local) as JSON that Grafana 12 and 13 import.

    Thresholds are those of the stack's gates. Nothing is asked, and nothing of the stack changes.
    """
    from ops.commands.dashboards import export, made  # noqa: PLC0415 - Docker's library loads only when needed

    deployment = opened(stack, report_aside)
    if as_json:
        print_json({name: each.model_dump(by_alias=True) for name, each in made(deployment).items()})
        return
    for each in export(deployment, folder):
        click.echo(f"{each.path}: {each.title}")
