"""Every alert that can be made to fire on a real stack, from end to end: what is done to it, and who is told of what.

Not here: `CostAboveZero` (the locks let nothing cost anything, so rules are shown prepared numbers), those that take an
hour or more, and `AlertmanagerDown`, which nobody can be told of.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from testing.project import Project
from tests.integration.pager import Pager, paged

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(3600)]

FIRST = "google/gemma-4-31b-it:free"
"""The model that the gateway asks first."""

DIRECT = "google/gemma-4-26b-a4b-it:free"
"""The model of the direct path."""

USERS = {"litellm": 7, "direct": 77}  # of a stack at 50 %


@dataclass(frozen=True)
class Case:
    """An alert, what brings it about (containers that stop, faults of the simulator), and the rule's own delay."""

    alert: str
    labels: dict[str, str]
    stops: tuple[str, ...] = ()
    faults: tuple[dict[str, Any], ...] = ()
    after_seconds: float = 0

    @property
    def wanted(self) -> dict[str, str]:
        return {"alertname": self.alert, **self.labels}


# In two groups: without Redis the gateway keeps to its own small share, users fall back, and that critical alert
# silences the warnings of its part. The names of containers are those of a part's first.
PARTS = (
    Case("ReplicaDown", {"part": "friday"}, stops=("friday",), after_seconds=120),
    Case("RedisDown", {}, stops=("redis",), after_seconds=120),
    Case("TargetMissing", {"job": "redis"}, stops=("redis-exporter",), after_seconds=180),
    Case("NotificationsFail", {"integration": "slack"}),
)
GATEWAY = (
    Case("ReplicaDown", {"part": "litellm"}, stops=("litellm",), after_seconds=120),
    Case(
        "ProviderDown", {"model": FIRST}, faults=({"kind": "status", "status": 503, "model": FIRST},), after_seconds=240
    ),
    Case("QuotaMinute", {}, after_seconds=180),
)
ERRORS = (
    Case("ErrorRateHigh", {"users": "gateway"}, faults=({"kind": "status", "status": 503},)),
    Case("ErrorRateHigh", {"users": "direct"}),
    Case("ErrorBudgetBurns", {"window": "1h"}),
)
SLOW = (
    Case(
        "ResponsesSlow",
        {"path": "direct"},
        faults=({"kind": "latency", "model": DIRECT, "distribution": {"kind": "fixed", "ms": 11_000}},),
        after_seconds=30,
    ),
)
EDGE = (Case("EdgeDown", {}, stops=("edge",), after_seconds=30),)


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
def done(project: Project, cases: tuple[Case, ...], per_minute: float) -> Iterator[float]:
    """Do to the stack what the cases say, under so many chats a minute; yield when. Afterwards it is healed."""
    stopped = [project.containers(part)[0] for case in cases for part in case.stops]
    began = time.time()
    try:
        project.fault(*(fault for case in cases for fault in case.faults))
        for each in stopped:
            each.stop(timeout=1)
        with Traffic(project, per_minute) if per_minute else nullcontext():
            yield began
    finally:
        project.fault()
        for each in stopped:
            each.start()


def fire(project: Project, pager: Pager, cases: tuple[Case, ...], per_minute: float = 0) -> list[str]:
    """Bring alerts about and wait until each is told, and told to be over; return a line for each of them."""
    with done(project, cases, per_minute) as began:
        longest = max(case.after_seconds for case in cases)
        told = pager.wait(True, *(case.wanted for case in cases), since=began, seconds=longest + 300)
    healed = time.time()
    wanted = [case.wanted for case in cases if case.alert not in ("NotificationsFail", "ErrorBudgetBurns")]
    ended = pager.wait(False, *wanted, since=began, seconds=900)
    at = {(each.labels["alertname"], each.labels.get("part"), each.labels.get("users")): each.at for each in ended}
    lines = []
    for case, each in zip(cases, told, strict=True):
        over_at = at.get((each.labels["alertname"], each.labels.get("part"), each.labels.get("users")))
        end = f"{over_at - healed:.0f} s after the end" if over_at else "not waited for"
        own = f" (its own delay {case.after_seconds:.0f} s)" if case.after_seconds else ""
        lines.append(f"{case.wanted}: told after {each.at - began:.0f} s{own}; over: {end}")
    return lines


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    made = Project.create(Path(tmp_path_factory.mktemp("alerts")))
    configure(made)
    try:
        made.fridayctl("up", made.stack)
        yield made
    finally:
        made.remove()


def configure(made: Project) -> None:
    """Let few calls be enough, and the account's free calls be nearly used by them."""
    made.configure({"quota": {"requestsPerMinute": 60, "requestsPerDay": 5000}, "gates": {"watchSamples": 10}})


@contextmanager
def paged_twice(project: Project) -> Iterator[Pager]:
    """Let a pager be told, and another channel whose receiver is not there."""
    nobody = "http://nobody.invalid/x"
    before = project.file.read_text()
    project.pulumi("config", "set", "--secret", "--path", "notify.slack.url", nobody, "-s", project.stack)
    try:
        with paged(project) as pager:
            yield pager
    finally:
        project.file.write_text(before)


@pytest.fixture(scope="module")
def pager(stack: Project) -> Iterator[Pager]:
    with paged_twice(stack) as made:
        yield made


def test_warnings_of_parts(stack: Project, pager: Pager) -> None:
    print("\n".join(fire(stack, pager, PARTS)))


def test_warnings_of_the_gateway(stack: Project, pager: Pager) -> None:
    print("\n".join(fire(stack, pager, GATEWAY, 58)))


def test_errors(stack: Project, pager: Pager) -> None:
    print("\n".join(fire(stack, pager, ERRORS, 40)))


def test_waits(stack: Project, pager: Pager) -> None:
    print("\n".join(fire(stack, pager, SLOW, 40)))


def test_drift(stack: Project, pager: Pager) -> None:
    wanted, began = {"alertname": "ConfigurationDrift"}, time.time()
    (redis,) = stack.containers("redis")
    redis.update(mem_limit="300m", memswap_limit="300m")
    stack.fridayctl("drift", stack.stack, code=1)
    (told,) = pager.wait(True, wanted, since=began, seconds=120)
    stack.fridayctl("drift", stack.stack, "--fix")
    stack.fridayctl("drift", stack.stack)
    (over,) = pager.wait(False, wanted, since=began, seconds=400)
    print(f"{wanted}: told after {told.at - began:.0f} s; over: after {over.at - told.at:.0f} s more")


def test_an_edge_that_is_gone(stack: Project, pager: Pager) -> None:
    print("\n".join(fire(stack, pager, EDGE)))
