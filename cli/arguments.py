"""Arguments and options that several commands share."""

import json
import re
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from ops.progress import Report
from ops.rollout.steps import in_words

if TYPE_CHECKING:
    from ops.deployment import Deployment


def stack_name(_: click.Context, __: click.Parameter, value: str) -> str:
    """Check the name of a stack, as a click callback; BadParameter when it is none."""
    # Pulumi's own rule for stack names, and Docker's for what is named after them.
    if not value.replace("-", "").replace("_", "").isalnum() or len(value) > 30:
        raise click.BadParameter("should be 1 to 30 letters, digits, - or _")
    return value


stack_argument: Callable[..., Any] = click.argument("stack", default="local", callback=stack_name)
json_option: Callable[..., Any] = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")

wait_option: Callable[..., Any] = click.option(
    "--wait",
    "wait_seconds",
    metavar="SECONDS",
    type=click.IntRange(0, 86400),
    default=0,
    help="Wait while another update holds the stack, so many seconds at most.",
)


_SPAN = re.compile(r"([1-9][0-9]{0,5})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SHORTEST, _LONGEST = timedelta(minutes=5), timedelta(days=400)


def span(_: click.Context, __: click.Parameter, value: str) -> timedelta:
    """Read a span of time such as 90m, 24h, 7d or 2w, as a click callback; BadParameter when it is none."""
    found = _SPAN.fullmatch(value)
    if not found:
        raise click.BadParameter(
            f"should be a number with m, h, d or w, such as 90m, 24h, 7d or 2w (got {value[:40]!r})"
        )
    length = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if not _SHORTEST <= length <= _LONGEST:
        raise click.BadParameter(f"should be from 5m to 400d (got {value})")
    return length


since_option: Callable[..., Any] = click.option(
    "--since", default="7d", show_default=True, callback=span, help="How far back to look: 90m, 24h, 7d, 2w."
)


def opened(stack: str, report: Report) -> "Deployment":
    """Read and check a stack's settings; SettingsError or OperationError (exit code 2) says what is wrong."""
    from ops.deployment import Deployment  # noqa: PLC0415 - Docker's library loads only when needed

    return Deployment.open(stack, report)


def print_json(document: object) -> None:
    """Print a document as JSON for other programs."""
    click.echo(json.dumps(document, indent=2, default=str))


def line(label: str, text: str) -> None:
    """Print one line of a command's progress: what it is about, then what was done."""
    click.echo(f"{label:<10}{text}")


def reporter(as_json: bool) -> Report:
    """Return what prints progress: `line`, or its like on stderr where stdout is JSON's."""
    return report_aside if as_json else line


def report_aside(label: str, text: str) -> None:
    """Print progress on stderr: stdout is for the command's result."""
    click.echo(f"{label}: {text}", err=True)


def is_unattended() -> bool:
    """Return whether nobody reads along: no stream is a terminal, as with cron and in a CI."""
    return not any(stream and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def one_line(text: str) -> str:
    """Return an operator's words as messages of the history take them: one line, at most 300 characters."""
    return " ".join(text.split())[:300]


def age(span: timedelta) -> str:
    """Return how long ago something was: 3 d, 2 h 5 min, 40 s."""
    return f"{span.days} d" if span.days else in_words(span)
