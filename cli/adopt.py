"""`fridayctl adopt`: make a stack file of a team's compose file."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.arguments import json_option, line, print_json, reporter, stack_name

if TYPE_CHECKING:
    from ops.commands.adopt import Adopted

EPILOG = """\b
Examples:
  ./fridayctl adopt ../friday-ai/docker-compose.yml --stack prod
  ./fridayctl adopt compose.yml .env.prod --stack prod --dry-run
  ./fridayctl adopt compose.yml --service backend --stack prod
  ./fridayctl adopt compose.yml --stack prod --json > adopted.json

Variables come from ENV_FILE (default: the .env beside COMPOSE) and from the
shell, which wins, as with compose. Secrets are encrypted into the stack file
and shown nowhere. docs/YOUR_FRIDAY.md goes on from there.

\b
Exit codes:
  0  the stack file is written; what it lacks is listed
  2  wrong input, or the stack file is there already (nothing was written)
"""


@click.command("adopt", epilog=EPILOG)
@click.argument("compose", type=click.Path(path_type=Path))
@click.argument("env_file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--stack", default="friday", show_default=True, metavar="NAME", callback=stack_name, help="The stack to make."
)
@click.option("--service", default="", metavar="NAME", help="The service that is Friday, where several may be.")
@click.option("--dry-run", is_flag=True, help="Show the stack file without its secrets, and write nothing.")
@click.option("--force", is_flag=True, help="Replace a stack file that is there.")
@json_option
def adopt_command(
    compose: Path, env_file: Path | None, stack: str, service: str, dry_run: bool, force: bool, as_json: bool
) -> None:
    """Make a stack file of a team's compose file.

    It becomes Pulumi.NAME.yaml, of the service in COMPOSE that is Friday. The compose deployment is not touched, and
    nothing is deployed. What has no place in the stack file is named, with the reason and what to do.
    """
    from ops.commands.adopt import AdoptRequest, adopt  # noqa: PLC0415 - --help does not need it

    request = AdoptRequest(compose, env_file, stack, service, os.environ, dry_run=dry_run, force=force)
    done = adopt(request, reporter(as_json))
    if as_json:
        print_json(_as_json(done, stack, dry_run))
    else:
        _show(done, stack, dry_run)


def _as_json(done: "Adopted", stack: str, dry_run: bool) -> dict[str, Any]:
    found = done.adoption
    return {
        "stack": stack,
        "file": f"Pulumi.{stack}.yaml",
        "written": not dry_run,
        "service": found.service,
        "settings": found.settings,
        "secrets": sorted(found.secrets),
        "setByTheStack": list(found.managed),
        "notPlaced": [asdict(each) for each in found.not_placed],
        "toDo": [{"setting": each.key, "expected": each.expected, "fix": each.fix} for each in done.to_do],
        "hints": list(found.hints),
        "stayInCompose": list(found.others),
    }


def _show(done: "Adopted", stack: str, dry_run: bool) -> None:
    found, file = done.adoption, f"Pulumi.{stack}.yaml"
    if dry_run:
        click.echo(done.document)
    line("service", f"{found.service}; in compose stay: {', '.join(found.others) or 'no others'}")
    line("secrets", f"{'would be encrypted' if dry_run else 'encrypted'}: {', '.join(sorted(found.secrets)) or 'none'}")
    if found.managed:
        line("stack", f"the stack sets these itself: {', '.join(found.managed)}")
    if found.not_placed:
        click.echo("\nnot placed:")
    for each in found.not_placed:
        click.echo(f"  {each.where}: {each.what}: {each.why}\n    fix: {each.fix}")
    if done.to_do:
        click.echo("\nto do before the first `up`:")
    for problem in done.to_do:
        click.echo(f"  {problem.key}: {problem.expected}\n    fix: {problem.fix}")
    if found.hints:
        click.echo("\nto know:")
    for hint in found.hints:
        click.echo(f"  {hint}")
    beside = found.settings.get("edge", {}).get("port", 3000) + 1
    click.echo(f"""
{f"nothing is written (--dry-run): {file}" if dry_run else f"written: {file}"}

next, while the compose deployment serves on:
  pulumi config set --path edge.port {beside} -s {stack}    a port beside compose's
  ./fridayctl preflight {stack}
  ./fridayctl up {stack}
then users go over: "Go over without an outage" in docs/YOUR_FRIDAY.md""")
