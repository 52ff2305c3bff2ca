"""Stacks through Pulumi's Automation API: open, update, destroy, and read their history."""

import datetime as dt
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pulumi import automation as auto
from pulumi.automation.events import EngineEvent, OpType

from ops.errors import OperationError
from ops.progress import Say
from ops.rollout.history import RESTORING, Entry, verb_of
from ops.stacks import backups, docker_plugin, newer_pulumi, pulumi_files, recorded_connection
from ops.stacks.pulumi_errors import errors_of, refused
from ops.stacks.pulumi_files import Resource
from ops.stacks.stack_file import stack_file
from ops.stacks.workspace import open_workspace
from toolchain.environment import environment
from toolchain.paths import STACKS

# An engine's and a Swarm's words for what the state does not know, and for what only the state knows. The last ones are
# the plugin's: it has removed a service, and gives its tasks no more time to end than they have themselves.
PROVIDER_FAULTS = re.compile(
    "is already in use by container|code = AlreadyExists|No such (container|service)"
    r"|(service|config|secret|network) \S+ not found|code = NotFound|error on wait for container"
)
_VERBS = {
    OpType.CREATE: "created",
    OpType.CREATE_REPLACEMENT: "created",
    OpType.UPDATE: "changed",
    OpType.DELETE: "removed",
    OpType.DELETE_REPLACED: "removed",
}
_STARTS = (OpType.CREATE, OpType.CREATE_REPLACEMENT)
CONTAINER = "docker:index/container:Container"
_OWN = "friday-litellm:components:"
_SHOWN = (CONTAINER, "docker:index/service:Service", "docker:index/network:Network")


@dataclass(frozen=True)
class Update:
    """What an update did: how many resources it changed, and the stack's outputs."""

    changed: int
    outputs: dict[str, object]


def open_stack(name: str, *, to_repair: bool = False, folder: Path = STACKS) -> auto.Stack:
    """Select a stack, making it in the backend when it is new there; `to_repair`: also one whose state is damaged.

    Its stack file is in the `folder`.
    Raises OperationError (exit code 2) when its state is damaged or cannot be reached, or Pulumi is not set up.
    """
    stack = _opened(name, auto.Stack.create_or_select, folder)
    if not to_repair:
        backups.require_sound(stack)
    return stack


def open_known(name: str) -> auto.Stack | None:
    """Select a stack, as `open_stack` does; None when the backend does not know it, which changes nothing there."""
    try:
        return _opened(name, auto.Stack.select)
    except auto.StackNotFoundError:
        return None


def open_to_change(name: str, say: Say, check: Callable[[Sequence[Resource], bool], None]) -> auto.Stack:
    """Open a stack as `open_stack` does, free the lock of a killed update, and repair a state that was cut short.

    `check` may refuse a stack for what its state records, before the host is read; it is also given whether that is
    what the last update left, and no older copy.
    """
    stack = open_stack(name, to_repair=True)
    killed = pulumi_files.release_dead(stack)
    if killed:
        say(f"the last update ({killed}) was killed; its lock is freed")
    # While somebody else's update writes it, the state is theirs, whatever it looks like: this one will be refused.
    copy = "" if pulumi_files.is_locked(stack) else backups.put_back(stack)
    found = pulumi_files.resources(stack)
    check(found, not copy)
    if copy:
        # The copy is older than what the hosts run.
        say(f"the state was cut short; {copy} is put in its place, and the host is read")
        try:
            _reach_from_here(stack, found, say)
            stack.refresh(suppress_progress=True, show_secrets=False)
        except auto.CommandError as error:
            fix = f"fix what it names, then ./fridayctl drift {name} --fix"
            raise OperationError(f"the hosts of {name} cannot be read", fix, details=errors_of(error)) from error
    return stack


def require_readable(stack: auto.Stack) -> None:
    """Raise OperationError (exit code 2) when an update could not read what is encrypted, or the state at all.

    Changes nothing. Stack file and state may have been encrypted with two passphrases, so each is asked: Pulumi itself
    asks the file only where it holds a secret, but for the secrets of the history always.
    """
    backups.require_sound(stack)
    if "encryptionsalt:" in stack_file(stack.name).read_text(encoding="utf-8"):  # else Pulumi would write one into it
        with refused(f"the secrets of {stack.name} cannot be read", "check its passphrase or secrets provider"):
            stack.history(page_size=1, page=1, show_secrets=True)
    stack.export_stack()


def _opened(name: str, how: Callable[[str, auto.Workspace], auto.Stack], folder: Path = STACKS) -> auto.Stack:
    threading.excepthook = _ignore_closed_pipes
    # Where the pinned tools and the state are, for this process and what it starts.
    os.environ.update(environment())
    workspace = open_workspace(folder)
    fix = "./fridayctl setup makes a local state; for another backend check PULUMI_BACKEND_URL and the login"
    with refused(f"the state of {name} cannot be opened", fix):
        return how(name, workspace)


def _ignore_closed_pipes(failure: threading.ExceptHookArgs) -> None:
    """Keep Pulumi's reader threads quiet after Ctrl-C: they complain of the pipes that were closed under them."""
    if failure.exc_type is not ValueError or "closed file" not in str(failure.exc_value):
        threading.__excepthook__(failure)


def update(stack: auto.Stack, message: str, say: Say, *, refresh: bool = False) -> Update:
    """Bring a stack to its settings, with `refresh` after a look at the hosts; OperationError in Pulumi's own words.

    Its exit code is 2 where a newer Docker plugin has made the stack. What goes back is not refused for that.
    """
    found = pulumi_files.resources(stack)
    if plugin := docker_plugin.other(found):
        if verb_of(message) not in RESTORING and (newer := docker_plugin.refusal(stack.name, found)):
            raise newer
        say(f"last updated with another Docker plugin ({plugin}); reading the hosts first")
    reads = refresh or bool(plugin)
    with _changing(stack, message, say, f"the update of {stack.name} failed", "up") as see:
        if reads:
            _reach_from_here(stack, found, say)
        # Containers that an update could not call healthy, or lost the host over, are made again: Pulumi would take
        # each as it is and go on to remove those that serve.
        result = stack.up(
            message=message,
            refresh=reads,
            replace=[each.urn for each in found if each.type == CONTAINER and each.init_errors],
            on_event=see,
            suppress_progress=True,
            show_secrets=False,
        )
    return Update(_changed(result.summary), {key: output.value for key, output in result.outputs.items()})


def destroy(stack: auto.Stack, say: Say) -> None:
    """Remove everything that a stack runs; its history stays. OperationError when that fails."""
    with _changing(stack, "down", say, f"taking {stack.name} down failed", "down") as see:
        _reach_from_here(stack, pulumi_files.resources(stack), say)
        # A container that somebody removed by hand would fail its own removal: look first.
        stack.destroy(message="down", refresh=True, on_event=see, suppress_progress=True, show_secrets=False)


def _reach_from_here(stack: auto.Stack, found: Sequence[Resource], say: Say) -> None:
    """Let the state name the way to the host that this machine goes, where whoever updated it last has gone another.

    Nothing else is read or changed.
    """
    if made := recorded_connection.of_another(stack, found):
        say("the last update reached the host in another way; going the stack file's")
        stack.refresh(
            message="another way to the host",
            target=[made.urn],
            run_program=True,
            program=recorded_connection.own_program(found),
            suppress_progress=True,
            show_secrets=False,
        )


@contextmanager
def _changing(
    stack: auto.Stack, doing: str, say: Say, failed: str, command: str
) -> Iterator[Callable[[EngineEvent], None]]:
    """Keep the state as it is before a change, yield what takes the engine's events, and put a failure into words.

    What neither goes back nor takes the stack down is refused where a newer Pulumi has written the state.
    """
    errors: list[str] = []
    if pulumi_files.note(stack, doing):
        if command == "up" and verb_of(doing) not in RESTORING and (newer := newer_pulumi_of(stack)):
            raise newer
        backups.keep(stack)
    try:
        yield partial(_show, say, errors)
    except auto.ConcurrentUpdateError as error:
        raise pulumi_files.held(stack.name, error) from error
    except auto.CommandError as error:
        fix = f"fix what it names, then ./fridayctl {command} {stack.name}"
        # Its last lines where it died before it could give any diagnostics.
        said = "\n".join(dict.fromkeys(errors)) or "\n".join(str(error).splitlines()[-20:])
        raise OperationError(failed, fix, details=said) from error


def newer_pulumi_of(stack: auto.Stack) -> OperationError | None:
    """Return the error (exit code 2) for a state that a newer Pulumi has written than this checkout has, else None."""
    path = pulumi_files.state_file(stack.workspace, stack.name)
    if path or pulumi_files.local_backend():
        return newer_pulumi.of_file(stack.name, path)
    return newer_pulumi.of_export(stack.name, stack.export_stack())


def read_history(stack: auto.Stack, most: int = 500) -> list[Entry]:
    """Return a stack's history, newest first, without secrets; OperationError (exit code 2) when it cannot be read."""
    fix = (
        "move a file that is damaged away, with its .attrs: what its update did is then not known; "
        "for another backend check PULUMI_BACKEND_URL and the login"
    )
    with refused(f"the history of {stack.name} cannot be read", fix, lambda: pulumi_files.history_in_doubt(stack)):
        return [_entry(summary) for summary in stack.history(page_size=most, page=1, show_secrets=False)]


def _entry(summary: auto.UpdateSummary) -> Entry:
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
        changes=_changed(summary),
    )


def _changed(summary: auto.UpdateSummary) -> int:
    return sum(count for op, count in (summary.resource_changes or {}).items() if op != OpType.SAME)


def _utc(moment: dt.datetime) -> dt.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def short_name(urn: str) -> str:
    """Return the name of a resource (urn:pulumi:STACK::PROJECT::TYPE::NAME) without the stack's, which some carry."""
    head, *_, name = urn.split("::")
    return name.removeprefix(f"friday-{head.rpartition(':')[2]}-")


def _show(say: Say, errors: list[str], event: EngineEvent) -> None:
    """Say in a line what the engine is about to do and has done, and keep what failed."""
    if said := event.diagnostic_event:
        if said.severity == "error":
            # The engine repeats the program's own error like this.
            errors.append(said.message.strip().removeprefix("an unhandled error occurred: "))
        elif _is_own(said.urn or ""):
            say(said.message.strip())
    if event.resource_pre_event and not event.resource_pre_event.planning:
        metadata = event.resource_pre_event.metadata
        name = short_name(metadata.urn)
        if metadata.type == CONTAINER and metadata.op in _STARTS and "-files-" not in name:
            say(f"starting {name}, waiting until it is healthy")
    if event.res_outputs_event:
        metadata = event.res_outputs_event.metadata
        if metadata.type in _SHOWN and metadata.op in _VERBS:
            say(f"{_VERBS[metadata.op]} {short_name(metadata.urn)}")


def _is_own(urn: str) -> bool:
    """Return whether a resource is a part of the stack as the program has it: what is said of that, we say."""
    return urn.rpartition("::")[0].rpartition("$")[2].startswith(_OWN)
