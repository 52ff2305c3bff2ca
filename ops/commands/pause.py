"""Pause and resume: an update that changes nothing, whose message the history keeps."""

from ops.commands import notices
from ops.deployment import Deployment
from ops.errors import EXIT_USAGE, OperationError
from ops.rollout.history import Verb, deployed, pause, verb_of
from ops.stacks.preview import in_words, look_ahead
from ops.stacks.stacks import update


def pause_or_resume(deployment: Deployment, verb: Verb, reason: str) -> str:
    """Write `pause: REASON` or `resume: REASON` into a stack's history; return the message.

    Raises SettingsError or OperationError (exit code 2) when nothing is deployed, when it is so already, or when the
    update would change something that runs.
    """
    stack = deployment.name
    deployment.open_to_change()
    current, paused = deployed(deployment.history), pause(deployment.history)
    if current is None:
        raise _not_deployed(stack)
    if verb is Verb.PAUSE and paused:
        said = f"{stack} is paused already ({paused.message})"
        raise OperationError(said, f"./fridayctl resume {stack} ends it", EXIT_USAGE)
    if verb is Verb.RESUME and not paused:
        raise OperationError(f"{stack} is not paused", f"./fridayctl history {stack} shows what was done", EXIT_USAGE)
    message = f"{verb}: {current.percentage} %" + (f": {reason}" if reason else "")
    note(deployment, message)
    notices.paused(deployment, verb, current.percentage, reason)
    return message


def note(deployment: Deployment, message: str) -> None:
    """Write a message into a stack's history by an update that changes nothing.

    Raises OperationError (exit code 2) when nothing is deployed, or when the update would change something that runs.
    """
    stack, opened = deployment.name, deployment.open_to_change()
    if deployed(deployment.history) is None:
        raise _not_deployed(stack)
    if pending := look_ahead(opened, {}):
        what = f"Pulumi.{stack}.yaml is not what is deployed, and a {verb_of(message)} may change nothing"
        words = in_words(pending, deployment.settings)
        raise OperationError(what, f"./fridayctl up {stack} first", EXIT_USAGE, "\n".join(words))
    update(opened, message, deployment.say("deploy"))


def _not_deployed(stack: str) -> OperationError:
    return OperationError(f"{stack} is not deployed", f"./fridayctl up {stack}", EXIT_USAGE)
