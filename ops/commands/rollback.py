"""Go back: the gateway is closed at the edge at once, and the rest of the way is made after that."""

import time
from typing import TYPE_CHECKING, Any

from ops.deployment import Deployment
from ops.errors import EXIT_USAGE, OperationError
from ops.rollout.rollback_plan import RollbackRequest

if TYPE_CHECKING:
    from ops.commands.restore import RolledBack


def roll_back(deployment: Deployment, request: RollbackRequest, wait_seconds: float = 0) -> "RolledBack":
    """Carry a rollback out. The gates are not asked: going back is always right.

    It waits for another update that holds the stack, `wait_seconds` at most, with the gateway closed meanwhile.

    Raises what `restore.prepare` does, and OperationError with exit code 1 when an update fails, where the gateway
    stays closed at the edge and Friday answers over the direct path, or when users are not answered as they should be
    after it.
    """
    began = time.monotonic()
    closed = close_gateway(deployment)
    seconds = {"closed": time.monotonic() - began} if closed else {}
    # Only now: Pulumi's libraries take longer to load than an edge to close.
    from ops.commands import restore  # noqa: PLC0415
    from ops.commands.when_free import when_free  # noqa: PLC0415

    try:
        done = when_free(
            deployment,
            lambda: restore.carry_out(deployment, request, began),
            wait_seconds,
            after_waiting=lambda: close_gateway(deployment),  # the update that is over now may have opened it
        )
    except OperationError as error:
        if error.exit_code != EXIT_USAGE:
            _tell_of_failure(deployment, request, error, closed)
        elif closed:  # nothing was changed: all stays as it was
            _open_again(deployment)
        raise
    done.seconds = {**seconds, **done.seconds}
    _tell(deployment, request, done)
    return done


def close_gateway(deployment: Deployment) -> bool:
    """Close the gateway at the edge; an edge that is gone is no reason not to roll back."""
    began = time.monotonic()
    try:
        deployment.switch.close()
    except OperationError as error:
        deployment.report("gateway", f"could not be closed at the edge ({error.message}); going on with the update")
        return False
    milliseconds = (time.monotonic() - began) * 1000
    deployment.report("gateway", f"closed at the edge after {milliseconds:.0f} ms: users go direct")
    return True


def _tell(deployment: Deployment, request: RollbackRequest, done: "RolledBack") -> None:
    """Tell that it is done, now that it is: neither a channel nor a hook has a say in it."""
    to = f", to the update of {done.target}" if done.target else ""
    _send(
        deployment,
        result="done",
        what=f"rolled back at level {done.level}: {done.percentage} % of users go through LiteLLM{to}",
        from_percent=done.before,
        to_percent=done.percentage,
        why=request.reason,
        next=f"./fridayctl status {deployment.name}",
    )


def _tell_of_failure(deployment: Deployment, request: RollbackRequest, error: OperationError, closed: bool) -> None:
    gateway = "; the gateway is closed at the edge, and users go direct" if closed else ""
    what = f"the rollback at level {request.level.number} failed{gateway}"
    _send(deployment, result="failed", what=what, why=error.message, next=error.fix)


def _send(deployment: Deployment, **facts: Any) -> None:
    deployment.notifier.send("rollback", **facts)
    deployment.hooks.after("post-rollback", **facts)
    deployment.notifier.finish()


def _open_again(deployment: Deployment) -> None:
    """Open what was closed for nothing; that an edge is gone by now must not hide why."""
    try:
        deployment.switch.open()
    except OperationError as error:
        deployment.report("gateway", f"could not be opened again ({error.message}); the next ./fridayctl up opens it")
    else:
        deployment.report("gateway", "open at the edge again: nothing was changed")
