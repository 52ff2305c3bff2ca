"""Pause and resume: an update that changes nothing, whose message the history keeps."""

from collections.abc import Callable

from ops.errors import EXIT_USAGE, OperationError
from ops.rollout.history import Verb, deployed, pause
from ops.stacks.history_source import read_history
from ops.stacks.preview import in_words, look_ahead
from ops.stacks.stack_file import read_settings
from ops.stacks.stacks import open_to_change, update

Tell = Callable[[str, str], None]


def hold(stack: str, verb: Verb, reason: str, tell: Tell) -> str:
    """Write `pause: ...` or `resume: ...` into a stack's history; return the message.

    Raises SettingsError or OperationError (exit code 2) when nothing is deployed, when it is so already, or when the
    update would change something that runs.
    """
    read_settings(stack)
    opened = open_to_change(stack, lambda text: tell("state", text))
    entries = read_history(opened)
    current, paused = deployed(entries), pause(entries)
    if current is None:
        raise OperationError(f"{stack} is not deployed", f"./fridayctl up {stack}", EXIT_USAGE)
    if verb is Verb.PAUSE and paused:
        said = f"{stack} is paused already ({paused.message})"
        raise OperationError(said, f"./fridayctl resume {stack} ends it", EXIT_USAGE)
    if verb is Verb.RESUME and not paused:
        raise OperationError(f"{stack} is not paused", f"./fridayctl history {stack} shows what was done", EXIT_USAGE)
    pending = look_ahead(opened, {})
    if pending:
        what = f"Pulumi.{stack}.yaml is not what is deployed, and a {verb} may change nothing"
        mend = f"./fridayctl up {stack} first"
        raise OperationError(what, mend, EXIT_USAGE, "\n".join(in_words(pending)))
    message = f"{verb}: {current.percentage} %" + (f": {reason}" if reason else "")
    update(opened, message, lambda text: tell("deploy", text))
    return message
