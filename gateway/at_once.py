"""An event loop's executor without threads."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class AtOnce(ThreadPoolExecutor):
    """Does work where it is given, in the event loop's own thread.

    LiteLLM prepares each call in a thread, though nothing in it waits: the change of threads costs more than it saves,
    and the event loop may have to wait for Python's lock meanwhile (5 ms, `sys.getswitchinterval`).
    """

    def submit(self, work: Callable[..., Any], /, *values: Any, **named: Any) -> Future[Any]:
        """Do the work and return its result, or what it raised."""
        done: Future[Any] = Future()
        try:
            done.set_result(work(*values, **named))
        except Exception as error:
            done.set_exception(error)
        return done
