"""Bring a stack up: settings, host and ports are checked first, then Pulumi works, then the result is asked."""

from collections.abc import Callable
from dataclasses import dataclass

from pulumi import automation as auto

from components.settings import StackSettings
from rollout import checks, ports
from rollout.errors import OperationError
from rollout.hosts import DockerHost
from rollout.stacks import NAME_TAKEN, Update, container_ids, open_stack, read_settings, update
from toolchain.setup import ensure

Tell = Callable[[str, str], None]


@dataclass(frozen=True)
class Up:
    """A stack that is up: how many resources changed, its outputs, and what Friday answered when asked."""

    changed: int
    outputs: dict[str, object]
    answers: list[checks.Answer]

    def document(self) -> dict[str, object]:
        """Return it for --json."""
        return {"changed": self.changed, "outputs": self.outputs, "answers": [vars(a) for a in self.answers]}


def bring_up(stack: str, message: str, tell: Tell) -> Up:
    """Set up, update and check a stack.

    Raises SetupError, SettingsError or OperationError with exit code 2 before anything of the stack changed, and
    OperationError with exit code 1 when the update or a check afterwards fails.
    """
    settings = read_settings(stack)
    ensure()
    host = DockerHost(settings.docker_host)
    ports.check(stack, settings, host)
    percentage = settings.rollout_percentage if settings.litellm_enabled else 0
    tell(
        "settings",
        f"Pulumi.{stack}.yaml: {percentage} % of users through LiteLLM, {len(settings.models)} free models",
    )
    done = _update(stack, message or f"up: {percentage} %", host, lambda text: tell("deploy", text))
    checks.all_well(stack, host)
    return Up(done.changed, done.outputs, _answers(done, settings, tell))


def _update(stack: str, message: str, host: DockerHost, tell: Callable[[str], None]) -> Update:
    opened = open_stack(stack)
    # Deleting a container that is already gone fails the whole update, unless the state has heard of it first.
    vanished = _recorded(opened.outputs()) - host.names(stack)
    if vanished:
        tell(f"not on the host any more: {', '.join(sorted(vanished))}; reading the host first")
    try:
        done = _update_past_strays(opened, message, host, tell, refresh=bool(vanished))
    except OperationError as error:
        complaint = host.complaint(stack)
        error.details = "\n".join(text for text in (error.details, complaint) if text)
        raise
    tell(f"{done.changed} changed" if done.changed else "nothing to change")
    return done


def _update_past_strays(
    opened: auto.Stack, message: str, host: DockerHost, tell: Callable[[str], None], *, refresh: bool
) -> Update:
    """Update; when a container of a killed update is in the way, remove what the state does not know and try again."""
    try:
        return update(opened, message, tell, refresh=refresh)
    except OperationError as error:
        if NAME_TAKEN not in error.details:
            raise
    for name in host.remove_strays(opened.name, container_ids(opened)):
        tell(f"removed {name}, left by an update that was cut short")
    return update(opened, message, tell, refresh=True)


def _recorded(outputs: object) -> set[str]:
    """Return the container names that the last update exported."""
    found = getattr(outputs.get("instances"), "value", {}) if isinstance(outputs, dict) else {}
    return {str(name) for names in found.values() for name in names}


def _answers(done: Update, settings: StackSettings, tell: Tell) -> list[checks.Answer]:
    """Ask on both paths when something changed; with the real OpenRouter no quota is spent on it."""
    if not done.changed or settings.upstream != "simulator":
        tell("checked", "every container is healthy")
        return []
    answers = checks.both_paths(str(done.outputs["fridayUrl"]), settings)
    for answer in answers:
        tell("checked", f"user {answer.user_id}: {answer.path}, {answer.model}, {answer.milliseconds:.0f} ms")
    return answers
