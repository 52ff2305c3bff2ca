"""Take a stack down: through Pulumi, then whatever a killed update left outside the state."""

from collections.abc import Callable

from rollout.hosts import DockerHost
from rollout.stacks import destroy, open_stack, read_settings, release_dead_lock

Tell = Callable[[str], None]


def take_down(stack: str, tell: Tell) -> None:
    """Remove everything that a stack runs; OperationError when something stays."""
    host = DockerHost(read_settings(stack).docker_host)
    opened = open_stack(stack)
    if release_dead_lock(opened):
        tell("the last update was killed; its lock is freed")
    destroy(opened, tell)
    for name in host.remove_leftovers(stack):
        tell(f"removed {name} (left by an update that was cut short)")
