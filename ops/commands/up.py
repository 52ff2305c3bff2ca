"""Bring a stack up: settings and hosts are checked first, then Pulumi works, then the result is asked."""

from collections.abc import Callable
from dataclasses import dataclass

from ops.checks import answers, edge_answers
from ops.checks.answers import Answer
from ops.checks.preflight import run as preflight
from ops.commands.deploy import deploy
from ops.commands.setup import ensure
from ops.hosts.docker_host import still_answering
from ops.hosts.edge_switch import Switch
from ops.rollout.history import RESTORING, Verb, verb_of
from ops.stacks.stack_file import read_settings
from ops.stacks.stacks import open_to_change

Tell = Callable[[str, str], None]


@dataclass(frozen=True)
class Up:
    """A stack that is up: how many resources changed, its outputs, and what Friday answered when asked."""

    changed: int
    outputs: dict[str, object]
    answers: list[Answer]

    def document(self) -> dict[str, object]:
        """Return it for --json."""
        return {"changed": self.changed, "outputs": self.outputs, "answers": [vars(a) for a in self.answers]}


def bring_up(stack: str, message: str, tell: Tell, *, refresh: bool = False, offline: bool = False) -> Up:
    """Set up, update and check a stack; `refresh` reads its hosts first, for what changed on them.

    OpenRouter is asked for prices and keys first, but not with `offline`, and not by what only brings back what was
    there before (`RESTORING`): its being away must not stand in the way of that.

    Raises SetupError, SettingsError or OperationError with exit code 2 before anything of the stack changed, and
    OperationError with exit code 1 when the update or a check afterwards fails.
    """
    read_settings(stack)  # a mistake in the file is told before anything is set up
    ensure()
    settings = read_settings(stack)  # with the secrets that a first set-up has made
    upstream = not offline and verb_of(message) not in RESTORING
    ready = preflight.require(stack, settings, tell, upstream=upstream)
    percentage = settings.effective_percentage
    tell(
        "settings",
        f"Pulumi.{stack}.yaml: {percentage} % of users through LiteLLM, {len(settings.models)} free models",
    )
    opened = open_to_change(stack, lambda text: tell("deploy", text))
    why = message or f"{Verb.UP}: {percentage} %"
    done = deploy(opened, why, ready.engine, lambda text: tell("deploy", text), refresh=refresh)
    answers.all_well(stack, ready.engine)
    hosts = still_answering(ready.hosts, lambda text: tell("host", text))
    if percentage:
        # A rollback that was cut short may have left it closed, also when nothing is left to change.
        Switch(list(hosts.values()), stack).open()
    if not done.changed:
        return Up(0, done.outputs, [])
    edge_answers.require_serving(stack, hosts, settings)
    return Up(done.changed, done.outputs, answers.ask_around(str(done.outputs["fridayUrl"]), settings, tell))
