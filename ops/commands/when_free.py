"""Waits for a stack that another update holds, and then begins from the start: what was read before may be stale."""

import time
from collections.abc import Callable
from typing import TypeVar

from ops.deployment import Deployment
from ops.errors import EXIT_USAGE
from ops.stacks import pulumi_files
from ops.stacks.pulumi_files import HeldError

_Done = TypeVar("_Done")
_LOOK_SECONDS = 1.0
_SAY_SECONDS = 15.0
_TRY_SECONDS = 10.0


def when_free(
    deployment: Deployment,
    operate: Callable[[], _Done],
    wait_seconds: float,
    after_waiting: Callable[[], object] = lambda: None,
) -> _Done:
    """Operate on a stack; while another update holds it, wait for at most `wait_seconds`, and begin again.

    Where the state is in files, their lock is looked at before anything is done. Elsewhere only Pulumi knows of a lock,
    when the update is to begin: then the whole operation is begun again every 10 s. `after_waiting` is called before
    each but an undelayed first attempt. Raises HeldError when the time is over, and what `operate` raises.
    """
    if not wait_seconds:
        return operate()
    deadline = time.monotonic() + wait_seconds
    waited = _wait(deployment, deadline)
    while True:
        if waited:
            deployment.begin_again()
            after_waiting()
        try:
            return operate()
        except HeldError as error:
            left = deadline - time.monotonic()
            if error.exit_code == EXIT_USAGE or left <= 0:
                raise
            deployment.report("lock", f"{error.details or error.message}; trying again for {left:.0f} s")
            time.sleep(min(_TRY_SECONDS, left))
        waited = True
        _wait(deployment, deadline)


def _wait(deployment: Deployment, deadline: float) -> bool:
    """Wait until nobody is known to hold the stack, saying who does; return whether that took time."""
    name = deployment.name
    began, said = time.monotonic(), -_SAY_SECONDS
    waited = False
    while found := pulumi_files.holder(name):
        now = time.monotonic()
        if now >= deadline:
            raise pulumi_files.held_by(name, f"held by {found}; waited for {now - began:.0f} s")
        if not waited or now - said >= _SAY_SECONDS:
            deployment.report("lock", f"{name} is held by {found}; waiting for {deadline - now:.0f} s at most")
            said = now
        waited = True
        time.sleep(min(_LOOK_SECONDS, deadline - now))
    if waited:
        deployment.report("lock", f"{name} is free after {time.monotonic() - began:.0f} s")
    return waited
