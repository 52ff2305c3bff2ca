"""The restore once the gateway is closed at the edge: the stack update that makes it last, and the check of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from components.stack import summary
from images.tags import local_images
from ops.checks import answers, rollback_target
from ops.checks.answers import Answer, Friday
from ops.checks.edge_files import require_taken
from ops.commands import push_images
from ops.commands.deploy import deploy, lacking
from ops.deployment import Deployment
from ops.errors import EXIT_FAILED, EXIT_USAGE, OperationError
from ops.hosts import images
from ops.rollout import rollback_plan
from ops.rollout.history import shown
from ops.rollout.rollback_plan import Restore, RollbackRequest, Step
from ops.stacks import worktree
from ops.stacks.pulumi_files import HeldError
from ops.stacks.stack_config import put, settings_of, write_settings
from ops.stacks.stack_file import stack_file


@dataclass
class RolledBack:
    """A rollback that is done: users are answered as they should be.

    `before` is the percentage until then. `seconds` tells when each part was over, counted from the command's start;
    `unhealthy` is what users can do without.
    """

    level: int
    before: int | None
    percentage: int
    target: str
    seconds: dict[str, float] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    unhealthy: list[str] = field(default_factory=list)


def prepare(deployment: Deployment, request: RollbackRequest) -> Restore:
    """Open the stack and work the rollback out, changing nothing but which images its hosts hold.

    Raises SettingsError or OperationError (exit code 2) when there is nothing to go back to, or its images are gone.
    """
    stack, entries = deployment.open_to_change(), deployment.history
    worked_out = rollback_plan.plan(entries, settings_of(stack), request)
    if worked_out.target is None:
        _send_todays_images(deployment)
        return worked_out
    if request.level.by_its_code:
        worktree.require(worked_out.target.commit)
    shelf = rollback_target.shelf_of(deployment)
    rollback_target.require(shelf, worked_out.target, entries, deployment.name, request.level)
    if not request.level.by_its_code:  # that commit's own command fetches what it needs
        shelf.fetch(worked_out.target, deployment.say("images"))
        if lacking_there := shelf.to_send(worked_out.target):  # a host's housekeeping took them away
            push_images.send(deployment, lacking_there, shelf.hosts)
    return worked_out


def _send_todays_images(deployment: Deployment) -> None:
    """Send hosts what they lack of the images that are deployed: a stopped part's are taken away by a prune.

    What cannot be sent is no reason to leave users where they are: an update that needs it says so.
    """
    if not deployment.settings.is_remote:
        return
    shelf = rollback_target.shelf_of(deployment)
    wanted = shelf.lacked(images.needs(deployment.name, deployment.settings, local_images()))
    try:
        if wanted:
            push_images.send(deployment, wanted, shelf.hosts)
    except OperationError as error:
        deployment.report("images", f"{error.message}; going on without")


def carry_out(deployment: Deployment, request: RollbackRequest, began: float) -> RolledBack:
    """Prepare a rollback and `make_last`, with their errors; exit code 1 once a step has been made."""
    made = 0
    try:
        worked_out = prepare(deployment, request)
        for step in worked_out.steps:
            with _put_back_when_refused(deployment.name):
                _make(deployment, worked_out, step)
            made += 1
        return _finish(deployment, worked_out, began)
    except OperationError as error:
        if made:
            error.exit_code = EXIT_FAILED  # whatever refused what comes after it, that step holds
        raise


def make_last(deployment: Deployment, worked_out: Restore, began: float) -> RolledBack:
    """Make a restore last: update, open the gateway at the edge again, check. Seconds count from `began`.

    Raises OperationError with exit code 1 when the update fails, with the gateway as it is; CheckError when users are
    not answered as they should be after it.
    """
    for step in worked_out.steps:
        _make(deployment, worked_out, step)
    return _finish(deployment, worked_out, began)


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
            except OperationError as unwritten:  # the first reason is the one reported
                error.details = "\n".join(text for text in (error.details, unwritten.message) if text)
        raise


def _make(deployment: Deployment, worked_out: Restore, step: Step) -> None:
    stack = deployment.stack
    deployment.report("settings", step.message)
    if not worked_out.level.by_its_code or worked_out.target is None:
        write_settings(stack, step.config, step.today)
        deploy(deployment, step.message)
        return
    commit = worktree.require(worked_out.target.commit)
    earlier = deployment.history
    try:
        sends = deployment.settings.is_remote and images.builder_here() is not None
        worktree.deploy_from(commit, worked_out.target, stack.name, step, deployment.say(""), sends_images=sends)
    except OperationError:
        newest = deployment.read_history_again()
        outputs = deployment.outputs()
        if newest == earlier or not newest[0].succeeded or lacking(deployment.hosts.manager, stack.name, outputs):
            raise
        deployment.report("deploy", "the update is made; what that commit's own check complains of is looked at again")


def _finish(deployment: Deployment, worked_out: Restore, began: float) -> RolledBack:
    """Open the gateway again, and see that users are answered; see `make_last`."""
    seconds = {"updated": time.monotonic() - began}
    # First: a process of the edge's that is about to take over would bring the closed gateway with it.
    require_taken(deployment.name, deployment.hosts.answering(deployment.say("host")))
    # Also where no gateway is left: it would stay closed for the one that comes back.
    deployment.switch.open()
    nobody = "" if worked_out.percentage else "; no user is sent there"
    deployment.report("gateway", f"open at the edge{nobody}")
    unhealthy = answers.users_are_safe(deployment, worked_out.percentage)
    alone = bool(unhealthy) and answers.has_no_redis(deployment)
    friday = _friday(deployment, worked_out)
    answered = answers.ask_around(friday, deployment, worked_out.percentage, fallback_counts=alone)
    if alone:
        deployment.report("gateway", "without Redis a new one makes no calls for a minute: its users go direct")
    for each in unhealthy:
        deployment.report("unhealthy", f"{each}; users are answered without it")
    if unhealthy:
        deployment.report("next", answers.next_command(deployment.name))
    seconds["checked"] = time.monotonic() - began
    target = shown(worked_out.target.at) if worked_out.target else ""
    return RolledBack(
        worked_out.level.number, worked_out.before, worked_out.percentage, target, seconds, answered, unhealthy
    )


def _friday(deployment: Deployment, worked_out: Restore) -> Friday:
    """Return where users reach what is deployed now, and where a chat can be asked of it."""
    settings = deployment.reload()
    if worked_out.level.by_its_code and worked_out.target:
        # The stack file was left alone, and what that commit's settings mean is for its own code to say.
        url = str(deployment.outputs()["fridayUrl"])
        return Friday(url, None if "friday" in worked_out.target.images else "/api/chat", as_set=False)
    return Friday(str(summary(settings)["fridayUrl"]), settings.friday.asked_chat_path)
