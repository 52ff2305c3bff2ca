"""The way back once the gateway is closed at the edge: the stack update that makes it last, and the check of it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pulumi import automation as auto

from components.settings import StackSettings
from components.stack import summary
from ops.checks import answers, rollback_target
from ops.checks.answers import Answer
from ops.commands.deploy import deploy, lacking
from ops.errors import EXIT_FAILED, EXIT_USAGE, OperationError
from ops.hosts.docker_host import DockerHost
from ops.hosts.edge_switch import Switch
from ops.hosts.swarm import engine_of
from ops.rollout import rollback_plan
from ops.rollout.rollback_plan import Request, Restore, Step
from ops.stacks import worktree
from ops.stacks.history_source import read_history
from ops.stacks.locks import HeldError
from ops.stacks.stack_config import put, settings_of, write_settings
from ops.stacks.stack_file import read_settings, stack_file
from ops.stacks.stacks import open_to_change

Tell = Callable[[str, str], None]


@dataclass
class RolledBack:
    """A rollback that is done: users are answered as they should be.

    `seconds` tells when each part was over, counted from the command's start; `unwell` is what users can do without.
    """

    level: int
    percentage: int
    target: str
    seconds: dict[str, float] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    unwell: list[str] = field(default_factory=list)

    def document(self) -> dict[str, object]:
        """Return it for --json."""
        return {**vars(self), "answers": [vars(each) for each in self.answers]}


def prepare(request: Request, settings: StackSettings, tell: Tell) -> tuple[auto.Stack, Restore]:
    """Open the stack and work the rollback out, changing nothing but which images its hosts hold.

    Raises SettingsError or OperationError (exit code 2) when there is nothing to go back to, or its images are gone.
    """
    stack = open_to_change(request.stack, lambda text: tell("state", text))
    entries = read_history(stack)
    worked_out = rollback_plan.plan(entries, settings_of(stack), request.level, to=request.to, reason=request.reason)
    if worked_out.target is None:
        return stack, worked_out
    if request.level == 4:
        worktree.require(worked_out.target.commit)
    with rollback_target.open_shelf(request.stack, settings, lambda text: tell("host", text)) as shelf:
        rollback_target.require(shelf, worked_out.target, entries, request.stack, request.level)
        if request.level == 2:  # that commit's own command fetches what it needs
            shelf.fetch(worked_out.target, lambda text: tell("images", text))
    return stack, worked_out


def carry_out(request: Request, before: StackSettings, switch: Switch, tell: Tell, began: float) -> RolledBack:
    """Make a rollback last, and see that users are answered. `before` are the settings that held when it `began`.

    Raises what `prepare` does, and what `make_last` does: with exit code 1 once a step has been made.
    """
    made = 0
    try:
        stack, worked_out = prepare(request, before, tell)
        host = engine_of(before)
        for step in worked_out.steps:
            with _put_back_when_refused(request.stack):
                _make(stack, worked_out, step, host, tell)
            made += 1
        return _finish(stack, worked_out, switch, host, tell, began)
    except OperationError as error:
        if made:
            error.exit_code = EXIT_FAILED  # whatever refused what comes after it, that step holds
        raise


def make_last(
    stack: auto.Stack, worked_out: Restore, switch: Switch, before: StackSettings, tell: Tell, began: float
) -> RolledBack:
    """Make a way back last: update, open the gateway at the edge again, check. Seconds count from `began`.

    Raises OperationError with exit code 1 when the update fails, with the gateway as it is; CheckError when users are
    not answered as they should be after it.
    """
    host = engine_of(before)
    for step in worked_out.steps:
        _make(stack, worked_out, step, host, tell)
    return _finish(stack, worked_out, switch, host, tell, began)


@contextmanager
def _put_back_when_refused(stack: str) -> Iterator[None]:
    """Let the stack file say what is deployed when an update was refused before it changed anything."""
    file = stack_file(stack)
    said = file.read_bytes().decode()
    try:
        yield
    except OperationError as error:
        if error.exit_code == EXIT_USAGE or isinstance(error, HeldError):
            try:
                put(file, said)
            except OperationError as unwritten:  # the first reason is the one that is told
                error.details = "\n".join(text for text in (error.details, unwritten.message) if text)
        raise


def _make(stack: auto.Stack, worked_out: Restore, step: Step, host: DockerHost, tell: Tell) -> None:
    tell("settings", step.message)
    if worked_out.level != 4 or worked_out.target is None:
        write_settings(stack, step.config, step.today)
        deploy(stack, step.message, host, lambda text: tell("deploy", text))
        return
    commit = worktree.require(worked_out.target.commit)
    earlier = read_history(stack, most=1)
    try:
        worktree.deploy_from(commit, worked_out.target, stack.name, step, lambda text: tell("", text))
    except OperationError:
        newest = read_history(stack, most=1)
        outputs = {key: output.value for key, output in stack.outputs().items()}
        if newest == earlier or not newest[0].succeeded or lacking(host, stack.name, outputs):
            raise
        tell("deploy", "the update is made; what that commit's own check complains of is looked at again")


def _finish(
    stack: auto.Stack, worked_out: Restore, switch: Switch, host: DockerHost, tell: Tell, began: float
) -> RolledBack:
    """Open the gateway again, and see that users are answered; see `make_last`."""
    seconds = {"updated": time.monotonic() - began}
    # Also where no gateway is left: it would stay closed for the one that comes back.
    switch.open()
    tell("gateway", "open at the edge" if worked_out.percentage else "open at the edge; no user is sent there")
    unwell = answers.users_are_safe(stack.name, host, worked_out.percentage)
    answered = answers.ask_around(*_deployed(stack, worked_out), tell)
    for each in unwell:
        tell("unwell", f"{each}; users are answered without it")
    if unwell:
        tell("next", answers.mend(stack.name))
    seconds["checked"] = time.monotonic() - began
    target = rollback_plan.shown(worked_out.target.at) if worked_out.target else ""
    return RolledBack(worked_out.level, worked_out.percentage, target, seconds, answered, unwell)


def _deployed(stack: auto.Stack, worked_out: Restore) -> tuple[str, StackSettings]:
    """Return where users reach what is deployed now, and the settings that say over which path they are answered."""
    settings = read_settings(stack.name)
    if worked_out.level != 4:
        return str(summary(settings)["fridayUrl"]), settings
    # The stack file was left alone, and what that commit's settings mean is for its own code to say.
    restored = {"rollout_percentage": worked_out.percentage, "litellm_enabled": True}
    return str(stack.outputs()["fridayUrl"].value), settings.model_copy(update=restored)
