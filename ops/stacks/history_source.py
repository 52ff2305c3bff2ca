"""Reads a stack's history through the Automation API into the entries that `history` computes with."""

import datetime as dt

from pulumi import automation as auto
from pulumi.automation.events import OpType

from ops.rollout.history import Entry
from ops.stacks.pulumi_errors import refused
from ops.stacks.pulumi_files import history_in_doubt


def read_history(stack: auto.Stack, most: int = 500) -> list[Entry]:
    """Return a stack's history, newest first, without the values of secrets.

    Raises OperationError (exit code 2) when it cannot be read: an entry that is left out would be a wrong answer.
    """
    fix = (
        "move a file that is damaged away, with its .attrs: what its update did is then not known; "
        "for another backend check PULUMI_BACKEND_URL and the login"
    )
    with refused(f"the history of {stack.name} cannot be read", fix, lambda: history_in_doubt(stack)):
        return [_entry(summary) for summary in stack.history(page_size=most, page=1, show_secrets=False)]


def _entry(summary: auto.UpdateSummary) -> Entry:
    changes = summary.resource_changes or {}
    environment = summary.environment or {}
    return Entry(
        kind=summary.kind,
        result=summary.result,
        message=summary.message,
        started=_utc(summary.start_time),
        ended=_utc(summary.end_time) if summary.end_time else None,
        config={key: value.value for key, value in summary.config.items() if not value.secret},
        secrets=tuple(sorted(key for key, value in summary.config.items() if value.secret)),
        commit=environment.get("git.head"),
        dirty=environment.get("git.dirty") == "true",
        changes=sum(count for op, count in changes.items() if op != OpType.SAME),
    )


def _utc(moment: dt.datetime) -> dt.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
