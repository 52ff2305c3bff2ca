"""A test message by every channel of a stack."""

from dataclasses import dataclass

from ops.deployment import Deployment
from ops.errors import EXIT_USAGE, OperationError


@dataclass(frozen=True)
class Tried:
    """What became of a test message by one channel; without a `problem` it was taken."""

    name: str
    problem: str
    seconds: float
    fix: str = ""

    @property
    def figures(self) -> dict[str, object]:
        """Return it for --json."""
        return {"problem": self.problem, "fix": self.fix, "seconds": round(self.seconds, 2)}


def try_channels(deployment: Deployment) -> list[Tried]:
    """Send a test message by each channel, whichever events it wants, and wait for what becomes of it.

    Raises OperationError (exit code 2) when there is no channel, or the secrets cannot be decrypted.
    """
    name, channels = deployment.name, deployment.settings.notify.channels
    set_it = "pulumi config set --secret --path notify.{}.url -s " + name
    if not channels:
        fix = f"{set_it.format('slack')} (docs/NOTIFICATIONS.md has the others)"
        raise OperationError(f"{name}: nobody is told anything, the setting `notify` names no channel", fix, EXIT_USAGE)
    assert deployment.decrypted_settings  # noqa: S101 - what is wrong with it is said here, and once
    notifier = deployment.notifier
    what, then = "this is a test, nothing has happened", f"./fridayctl status {name}"
    message = notifier.message("test", result="done", what=what, next=then)
    tried = []
    for sent in notifier.deliver(message, channels):
        problem = sent.wait()
        correct = f"correct notify.command.run in Pulumi.{name}.yaml"
        fix = correct if sent.channel == "command" else set_it.format(sent.channel)
        tried.append(Tried(sent.channel, problem, sent.seconds, fix if problem else ""))
    return tried
