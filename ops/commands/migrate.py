"""The migration of an update: run before anything of the stack changes, by updates that go on to something new."""

from ops.checks.migration import plan
from ops.deployment import Deployment
from ops.rollout.history import RESTORING, Verb, verb_of
from ops.stacks.pulumi_files import HeldError, is_locked

# A step changes the percentage and nothing else, and going back meets a database that is newer already.
_WITHOUT = RESTORING | {Verb.PROMOTE, Verb.PAUSE, Verb.RESUME, Verb.FEEDBACK}


def migrate(deployment: Deployment, message: str) -> None:
    """Run what `friday.migrate` names, unless it has ended well as it is; `message` is the update's.

    Raises OperationError when it fails, with its last lines; HeldError while another update is going on.
    """
    if verb_of(message) in _WITHOUT or not (planned := plan(deployment)) or planned.ended_well:
        return
    name = deployment.name
    if is_locked(deployment.open_to_change()):  # Pulumi would say so only after the migration
        raise HeldError(f"another update of {name} is going on", f"wait for it, then ./fridayctl up {name}")
    say = deployment.say("migrate")
    say(planned.words)
    planned.one_off.run(say)
    say("ended well")
