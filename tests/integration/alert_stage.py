"""How alerts are brought about on a stack: what is done to it, under which users, and who is told of what and when."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import httpx

from testing.project import Project
from tests.integration.pager import Pager

FIRST = "google/gemma-4-31b-it:free"
"""The model that the gateway asks first."""

DIRECT = "google/gemma-4-26b-a4b-it:free"
"""The model of the direct path."""

USERS = {"litellm": 7, "direct": 77}  # of a stack at 50 %

Doing = Callable[[Project], AbstractContextManager[None]]
"""What is done to a stack, and taken back."""


@dataclass(frozen=True)
class Case:
    """An alert, and what brings it about: containers that stop, faults of the simulator, or something else.

    `after_seconds` is the rule's own delay; `ends` says whether its end is waited for, which may be hours away.
    """

    alert: str
    labels: dict[str, str]
    stops: tuple[str, ...] = ()
    faults: tuple[dict[str, Any], ...] = ()
    doing: Doing | None = None
    after_seconds: float = 0
    ends: bool = True

    @property
    def wanted(self) -> dict[str, str]:
        return {"alertname": self.alert, **self.labels}


@dataclass(frozen=True)
class Stage:
    """Cases that are brought about together, under so many chats a minute of both paths' users."""

    cases: tuple[Case, ...]
    per_minute: float = 0


class Traffic:
    """Users of both paths, together `per_minute` chats, until it is left."""

    def __init__(self, project: Project, per_minute: float) -> None:
        self._project, self._pause = project, 60 / per_minute
        self._left = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(each,)) for each in USERS.values()]

    def _ask(self, user: int) -> None:
        due = time.monotonic()
        while not self._left.wait(max(0, due - time.monotonic())):
            due += 2 * self._pause
            try:
                self._project.chat(user)
            except httpx.HTTPError:
                continue  # that is what some of the cases are about

    def __enter__(self) -> None:
        for each in self._threads:
            each.start()

    def __exit__(self, *_: object) -> None:
        self._left.set()
        for each in self._threads:
            each.join()


@contextmanager
def _done(project: Project, stage: Stage) -> Iterator[float]:
    """Do to the stack what the cases say; yield when that began. Afterwards it is healed."""
    stopped = [project.containers(part)[0] for case in stage.cases for part in case.stops]
    began = time.time()
    with ExitStack() as taken_back:
        taken_back.callback(project.fault)
        project.fault(*(fault for case in stage.cases for fault in case.faults))
        for each in stopped:
            taken_back.callback(each.start)
            each.stop(timeout=1)
        for doing in dict.fromkeys(case.doing for case in stage.cases if case.doing):
            taken_back.enter_context(doing(project))
        with Traffic(project, stage.per_minute) if stage.per_minute else nullcontext():
            yield began


def fire(project: Project, pager: Pager, *stages: Stage, ends_within: float = 900) -> None:
    """Bring the alerts of one stage after the other about, each until it is told; then wait for their ends.

    Prints a line for each: the seconds until somebody was told, and until that was over.
    """
    healed: dict[int, float] = {}
    first = time.time()
    for number, stage in enumerate(stages):
        with _done(project, stage) as began:
            longest = max(case.after_seconds for case in stage.cases)
            told = pager.wait(True, *(case.wanted for case in stage.cases), since=began, seconds=longest + 300)
        healed[number] = time.time()
        for case, each in zip(stage.cases, told, strict=True):
            own = f" (its own delay {case.after_seconds:.0f} s)" if case.after_seconds else ""
            print(f"{case.wanted}: told after {each.at - began:.0f} s{own}", flush=True)
    ending = [(number, case) for number, stage in enumerate(stages) for case in stage.cases if case.ends]
    over = pager.wait(False, *(case.wanted for _, case in ending), since=first, seconds=ends_within)
    for (number, case), each in zip(ending, over, strict=True):
        print(f"{case.wanted}: over {each.at - healed[number]:.0f} s after what brought it about", flush=True)
