"""`fridayctl models`: what OpenRouter offers for nothing today, and what to put in the place of what is gone."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from cli.arguments import json_option, opened, print_json, report_aside, stack_argument
from cli.tables import show_table

if TYPE_CHECKING:
    from ops.commands.models import ModelRow

EPILOG = """\b
Examples:
  ./fridayctl models                   the free models of today, and local's
  ./fridayctl models list prod --json  the same of prod, as JSON
  ./fridayctl models suggest prod      what to replace, as a diff of its file
"""
LIST_EPILOG = """\b
Examples:
  ./fridayctl models
  ./fridayctl models list prod --json

\b
Exit codes:
  0  every model of the stack is listed, free and staying
  1  one is gone, priced, about to retire or closed by dataPolicy
  2  the settings are wrong, or the list cannot be read
"""
SUGGEST_EPILOG = """\b
Examples:
  ./fridayctl models suggest prod
  ./fridayctl models suggest prod | git apply   write it into its file
  ./fridayctl up prod                           then

\b
Exit codes:
  0  nothing has to be replaced, or the diff replaces all of it
  1  there is no model that could take the place of one
  2  the settings are wrong, or the list cannot be read

Nothing is written. The diff goes to standard output, the reasons to standard
error. A new model answers to all names of the one it replaces. A price of 0 in
the list does not prove that a model answers: try it before you rely on it.
"""

# The table has no room for OpenRouter's words.
_SHORT = {"response_format": "json", "structured_outputs": "schema"}


class _ListedByDefault(click.Group):
    """Takes what is no subcommand for the arguments of `list`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `list` before arguments that name no subcommand."""
        named = args[:1] and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named else ["list", *args])


@click.group("models", cls=_ListedByDefault, epilog=EPILOG)
def models_command() -> None:
    """List OpenRouter's free models of today, or suggest new ones.

    Without a subcommand it is `list`. Neither costs a request of the quota.
    """


@models_command.command("list", epilog=LIST_EPILOG)
@stack_argument
@json_option
def list_command(stack: str, as_json: bool) -> int:
    """List the models of STACK (default: local), then the other free ones of its upstream.

    With price, context, what each takes, what its provider does with prompts (as far as is known), and its last day.
    """
    from ops.commands.models import ask, rows  # noqa: PLC0415 - Docker's library loads only when needed

    deployment = opened(stack, report_aside)
    found = list(rows(deployment.settings, ask(deployment)))
    if as_json:
        print_json([asdict(each) for each in found])
    else:
        _print(stack, found)
    return 1 if any(each.problem for each in found) else 0


@models_command.command("suggest", epilog=SUGGEST_EPILOG)
@stack_argument
@json_option
def suggest_command(stack: str, as_json: bool) -> int:
    """Propose free models for those that STACK (default: local) can no longer use, as a diff of its file."""
    from ops.commands.models import ask  # noqa: PLC0415 - Docker's library loads only when needed
    from ops.commands.suggest_models import suggest  # noqa: PLC0415
    from ops.stacks.stack_file import stack_file  # noqa: PLC0415

    deployment = opened(stack, report_aside)
    text = stack_file(stack).read_text(encoding="utf-8")
    found = suggest(stack, text, deployment.settings, ask(deployment))
    if as_json:
        print_json(asdict(found))
    else:
        for each in found.replacements:
            what = f"{each.old} ({', '.join(each.used)}) {each.why}"
            click.echo(f"{what}; {each.new or 'nothing free'} could take its place", err=True)
        if not found.replacements:
            click.echo(f"{stack}: no model has to be replaced", err=True)
        click.echo(found.diff, nl=False)
    return 1 if any(each.new is None for each in found.replacements) else 0


def _print(stack: str, found: "list[ModelRow]") -> None:
    from ops.commands.models import DIRECT  # noqa: PLC0415 - Docker's library loads only when needed

    lasting = not any(each.retires for each in found)
    rows = []
    for each in found:
        used = ["direct" if name == DIRECT else "gateway" for name in each.used]
        context = f"{each.context_tokens // 1000:,}k" if each.context_tokens else "?"
        price = "?" if not each.price else "0" if each.price == "0" else "not 0"
        cells = (each.id, "both" if len(used) > 1 else "".join(used), price, context, _taken(each), each.prompts or "?")
        rows.append(cells if lasting else (*cells, each.retires or ""))
    head = ("model", "used", "price", "context", "takes", "prompts", "last day")
    show_table(head[:-1] if lasting else head, rows, markup=False, whole="model")
    wrong = [each for each in found if each.problem]
    for each in wrong:
        click.echo(f"{each.id} ({', '.join(each.used)}) {each.problem}")
    if wrong:
        click.echo(f"next: ./fridayctl models suggest {stack}")


def _taken(row: "ModelRow") -> str:
    """Return what a model takes in a few words: who takes a schema takes any JSON."""
    if row.takes is None:
        return "?"
    rest = [each for each in row.takes if each != "response_format" or "structured_outputs" not in row.takes]
    return ", ".join(_SHORT.get(each, each) for each in rest) or "text alone"
