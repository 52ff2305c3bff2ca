"""Bring a stack up: settings and hosts are checked first, then Pulumi works, then the result is asked."""

from dataclasses import dataclass

from ops.checks import answers, edges, way_out
from ops.checks.answers import Answer, Friday
from ops.checks.edge_files import require_taken
from ops.checks.preflight import run as preflight
from ops.checks.preflight.one_engine import require_one_engine
from ops.checks.preflight.run import Examination
from ops.commands import notices
from ops.commands.deploy import deploy
from ops.commands.setup import ensure_for
from ops.deployment import Deployment
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts.edge_switch import Switch
from ops.rollout.history import RESTORING, Verb, deployed, verb_of
from ops.stacks.pulumi_files import HeldError


@dataclass(frozen=True)
class UpRequest:
    """What an update is asked for: its `message` for the history, and whether the hosts are read first (`refresh`).

    With `offline` OpenRouter is not asked. `examined` is what preflight has found already, for a caller that ran it.
    `by_operator` says that the update is the command itself, not a part of another one: hooks run around it.
    """

    message: str = ""
    refresh: bool = False
    offline: bool = False
    examined: Examination | None = None
    by_operator: bool = False


@dataclass(frozen=True)
class Up:
    """A stack that is up: how many resources changed, its outputs, and what Friday answered when asked."""

    changed: int
    outputs: dict[str, object]
    answers: list[Answer]


def bring_up(deployment: Deployment, request: UpRequest) -> Up:
    """Set up, update and check a stack.

    Raises SetupError, SettingsError or OperationError with exit code 2 before anything of the stack changed, and
    OperationError with exit code 1 when the update or a check afterwards fails.
    """
    require_one_engine(deployment)
    ensure_for(deployment.settings)
    deployment.reload()  # with the secrets that a first set-up has made
    _make_sure(deployment, request)
    # Nothing may refuse what only brings back what was there before, and whoever goes back tells of it.
    restoring = verb_of(request.message) in RESTORING
    return _with_hooks(deployment, request) if request.by_operator and not restoring else _update(deployment, request)


def _with_hooks(deployment: Deployment, request: UpRequest) -> Up:
    """Update between the operator's own hooks, and tell of another percentage."""
    before, to = _deployed(deployment), deployment.settings.effective_percentage
    facts = {"from_percent": before, "to_percent": to}
    why = request.message or f"{Verb.UP}: {to} %"
    deployment.hooks.before("pre-up", what=f"{deployment.name} is updated", why=why, **facts)
    try:
        done = _update(deployment, request)
    except OperationError as error:
        if error.exit_code != EXIT_USAGE and not isinstance(error, HeldError):
            if before is not None and before != to:
                notices.step_failed(deployment, before, to, error)
            what = f"the update of {deployment.name} failed"
            deployment.hooks.after("post-up", result="failed", what=what, why=error.message, **facts)
            deployment.notifier.finish()
        raise
    if before is not None and before != to:
        notices.step(deployment, before, to, why)
    deployment.hooks.after("post-up", result="done", what=f"{deployment.name} is up", why=why, **facts)
    deployment.notifier.finish()
    return done


def _deployed(deployment: Deployment) -> int | None:
    """Return the percentage that is deployed, None where nothing is, or where nobody asks for it."""
    if not deployment.notifier.settings.channels and not deployment.hooks.has("pre-up", "post-up"):
        return None
    deployment.open_to_change()
    found = deployed(deployment.history)
    return found.percentage if found else None


def _update(deployment: Deployment, request: UpRequest) -> Up:
    """Update and check a stack whose settings and hosts are known to be right."""
    settings = deployment.settings
    percentage = settings.effective_percentage
    told = f"{percentage} % of users through LiteLLM, {len(settings.models)} free models"
    deployment.report("settings", f"Pulumi.{deployment.name}.yaml: {told}")
    done = deploy(deployment, request.message or f"{Verb.UP}: {percentage} %", refresh=request.refresh)
    answers.all_well(deployment)
    hosts = deployment.hosts.answering(deployment.say("host"))
    # Before the switch: a process that is about to take over would bring the old state with it.
    require_taken(deployment.name, hosts)
    if settings.uses_gateway:
        # A rollback that was cut short may have left it closed, also when nothing is left to change.
        Switch(list(hosts.values()), deployment.name).open()
    if not done.changed:
        return Up(0, done.outputs, [])
    seen = edges.require_serving(deployment.name, hosts, settings)
    edges.warn(deployment, hosts, seen)
    way_out.require(deployment, hosts, warn_only=request.offline or verb_of(request.message) in RESTORING)
    friday = Friday(str(done.outputs["fridayUrl"]), settings.friday.asked_chat_path)
    return Up(done.changed, done.outputs, answers.ask_around(friday, deployment, percentage, seen))


def _make_sure(deployment: Deployment, request: UpRequest) -> None:
    """See that the update can work, and let each host pull what it lacks."""
    # OpenRouter's being away must not stand in the way of what only brings back what was there before.
    restoring = verb_of(request.message) in RESTORING
    upstream = not (request.offline or restoring)
    examined = request.examined or preflight.before_update(deployment, upstream=upstream, restoring=restoring)
    for check in examined.report.warnings:
        deployment.report("warning", f"{check.found}; the fix: {check.fix}" if check.fix else check.found)
    examined.report.require()
    examined.pull_missing(deployment)
