"""Take a stack down: through Pulumi, then whatever a killed update left outside the state."""

from collections.abc import Callable

from ops.commands.deploy import remove_strays
from ops.errors import OperationError
from ops.hosts.swarm import engine_of
from ops.stacks.stack_file import read_settings
from ops.stacks.stacks import SURPRISES, destroy, open_to_change

Tell = Callable[[str], None]
# The plugin's words when a container that the state does not know is still on a network that is to go.
_IN_USE = "timeout while waiting for state to become 'removed'"


def take_down(stack: str, tell: Tell) -> None:
    """Remove everything that a stack runs; OperationError when something stays."""
    host = engine_of(read_settings(stack))
    opened = open_to_change(stack, tell)
    try:
        destroy(opened, tell)
    except OperationError as error:
        if not SURPRISES.search(error.details) and _IN_USE not in error.details:
            raise
        # Not before: while somebody else updates the stack, its state does not know yet what he has just made.
        remove_strays(opened, host, tell)
        destroy(opened, tell)  # which looks at the host first
    for name in host.remove_leftovers(stack):
        tell(f"removed {name} (left by an update that was cut short)")
