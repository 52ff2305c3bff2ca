"""Bring a stack up: settings, host and ports are checked first, then Pulumi works, then the result is asked."""

from collections.abc import Callable
from dataclasses import dataclass

from pulumi import automation as auto

from components.settings import StackSettings
from rollout import checks, ports
from rollout.errors import OperationError
from rollout.hosts import DockerHost
from rollout.stacks import SURPRISES, Update, container_ids, open_stack, read_settings, release_dead_lock, update
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
    if release_dead_lock(opened):
        tell("the last update was killed; its lock is freed")
    try:
        done = _update_past_surprises(opened, message, host, tell)
        vanished = _recorded(done.outputs) - host.names(stack)
        if vanished:
            tell(f"not on the host any more: {', '.join(sorted(vanished))}; reading the host and making them again")
            again = update(opened, message, tell, refresh=True)
            done = Update(done.changed + again.changed, again.outputs)
    except OperationError as error:
        complaint = host.complaint(stack)
        error.details = "\n".join(text for text in (error.details, complaint) if text)
        raise
    tell(f"{done.changed} changed" if done.changed else "nothing to change")
    return done


def _update_past_surprises(opened: auto.Stack, message: str, host: DockerHost, tell: Callable[[str], None]) -> Update:
    """Update; when the host is not as the state says (a killed update, a removal by hand), mend that and try again."""
    try:
        return update(opened, message, tell)
    except OperationError as error:
        if not any(words in error.details for words in SURPRISES):
            raise
    for name in host.remove_strays(opened.name, container_ids(opened)):
        tell(f"removed {name}, left by an update that was cut short")
    tell("the host is not as the last update left it; reading it first")
    return update(opened, message, tell, refresh=True)


def _recorded(outputs: dict[str, object]) -> set[str]:
    """Return the container names that an update exported."""
    found = outputs.get("instances")
    return {str(name) for names in found.values() for name in names} if isinstance(found, dict) else set()


def _answers(done: Update, settings: StackSettings, tell: Tell) -> list[checks.Answer]:
    """Ask on both paths when something changed; with the real OpenRouter no quota is spent on it."""
    if not done.changed or settings.upstream != "simulator":
        tell("checked", "every container is healthy")
        return []
    answers = checks.both_paths(str(done.outputs["fridayUrl"]), settings)
    for answer in answers:
        tell("checked", f"user {answer.user_id}: {answer.path}, {answer.model}, {answer.milliseconds:.0f} ms")
    return answers
