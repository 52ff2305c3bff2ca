"""Jobs side by side: each begins when those that it needs are done, and the first error ends all of them."""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

from toolchain import process

T = TypeVar("T")


@dataclass(frozen=True)
class Job(Generic[T]):
    """What is to do, and the names of the jobs that have to be done before."""

    run: Callable[[], T]
    needs: Collection[str] = ()


def run(jobs: Mapping[str, Job[T]], at_once: int) -> dict[str, T]:
    """Run jobs by their names, at most `at_once` side by side, and return what each returned, in the jobs' order.

    The first error is raised when every job has ended: commands that others run are interrupted, as they are at
    Ctrl-C, and what has not begun never does. A job may run jobs of its own. A need that is none of the jobs is met.
    """
    done: dict[str, T] = {}
    waiting = dict(jobs)
    running: dict[Future[T], str] = {}
    with ThreadPoolExecutor(at_once) as pool:
        try:
            while waiting or running:
                for name in [name for name in waiting if not jobs.keys() & set(jobs[name].needs) - done.keys()]:
                    running[pool.submit(waiting.pop(name).run)] = name
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    done[running[future]] = future.result()
                    del running[future]
        except BaseException as error:
            with process.stopping():
                pool.shutdown(cancel_futures=True)
            raise _first(error, running) from None
    return {name: done[name] for name in jobs}


def _first(error: BaseException, ended: Collection[Future[T]]) -> BaseException:
    """Return the error that made the others end: one that was only interrupted may be seen before it."""
    if not isinstance(error, process.StoppedError):
        return error
    errors = [future.exception() for future in ended if not future.cancelled()]
    return next((found for found in errors if found and not isinstance(found, process.StoppedError)), error)
