"""Take a stack down: through Pulumi, then whatever a killed update left outside the state."""

from ops.commands.deploy import remove_orphans
from ops.deployment import Deployment
from ops.errors import OperationError
from ops.stacks.stacks import PROVIDER_FAULTS, destroy

# The plugin's words when a container that the state does not know is still on a network that is to go.
_IN_USE = "timeout while waiting for state to become 'removed'"


def take_down(deployment: Deployment) -> None:
    """Remove everything that a stack runs; OperationError when something stays."""
    host, say = deployment.hosts.manager, deployment.say("down")
    opened = deployment.open_to_change()
    try:
        destroy(opened, say)
    except OperationError as error:
        if not PROVIDER_FAULTS.search(error.details) and _IN_USE not in error.details:
            raise
        # Not before: while somebody else updates the stack, its state does not know yet what he has just made.
        remove_orphans(opened, host, say)
        destroy(opened, say)  # which looks at the host first
    for name in host.remove_leftovers(deployment.name):
        say(f"removed {name} (left by an update that was cut short)")
