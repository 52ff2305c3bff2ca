"""Users of both paths who ask a stack, plainly and for streams, while a fault comes and goes."""

import json
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from benchmarks.http_client import Request, Response, chat
from benchmarks.load import Enough, Plan, Record, errors, run
from benchmarks.load_during import during
from testing.faults.fault import Fault, Promise
from testing.meanwhile import timed, until
from testing.project import Project
from testing.record import Record as Tried
from tests.faults.users import DIRECT_USER, GATEWAY_USER

PER_SECOND = 20.0
_TIMEOUT_SECONDS = 25.0
"""Longer than any promise: a call that takes so long has broken one."""
_IN_A_ROW = 4
"""Calls in a row of each user that are served as they should be: two replicas of Friday, twice."""
Place = TypeVar("Place")


@dataclass(frozen=True)
class Watched:
    """What came of it: the users' calls, and the seconds from the fault's end until all was as before."""

    records: Sequence[Record]
    back: float
    seconds: float

    @property
    def slowest(self) -> float:
        """The longest that a call took, in seconds."""
        return max(record.duration for record in self.records)

    def failed(self) -> dict[str, int]:
        """Return how often each error came."""
        return dict(errors(self.records))


def question(number: int) -> Request:
    """Return the question of user `number % 100`; every second one wants a stream."""
    asked = chat(number % 100)
    return Request(asked.path, {**asked.body, "stream": number % 2 == 1})


def judge(response: Response) -> str | None:
    """Say what is wrong with Friday's answer, None for a whole one; `unclear` marks one that explains nothing."""
    status, text = response.status, response.body.decode()
    events = [line.removeprefix("data:") for line in text.splitlines() if line.startswith("data:")]
    try:
        last = json.loads(events[-1] if events else text)
        error = last.get("error")
    except (ValueError, AttributeError):
        return f"{status} unclear: {text[:80]!r}"
    if error:
        return f"{status} {error.get('kind') or error['code']}" if error.get("message") else f"{status} unclear"
    return None if status == 200 and ("answer" in last or "done" in last) else f"{status} unclear: {text[:80]!r}"


def asked_while(project: Project, action: Callable[[], object]) -> tuple[list[Record], float]:
    """Let users ask while something is done; return their calls, and its seconds."""

    def users(enough: Enough) -> Coroutine[Any, Any, list[Record]]:
        plan = Plan(project.url, PER_SECOND, question, judge=judge, timeout=_TIMEOUT_SECONDS, until=enough)
        return run(plan)

    records, _, took = during(lambda: timed(action), users)
    return records, took


def watch(project: Project, happens: AbstractContextManager[object], lasts: float) -> Watched:
    """Let users ask before a fault, while it lasts, and until all is as before."""
    back: list[float] = []

    def action() -> None:
        with happens:
            time.sleep(lasts)
        back.append(timed(lambda: until(lambda: is_normal(project), "served as before")))

    records, seconds = asked_while(project, action)
    return Watched(records, back[0], seconds)


def is_normal(project: Project) -> bool:
    """Return whether each user is served on his own path, some calls in a row."""
    wanted = {GATEWAY_USER: "litellm", DIRECT_USER: "direct"}
    try:
        return all(project.chat(user).path == path for user, path in wanted.items() for _ in range(_IN_A_ROW))
    except httpx.HTTPError:
        return False


def check(fault: Fault[Place], watched: Watched) -> None:
    """Fail when a promise was broken."""
    failed = watched.failed()
    assert not [error for error in failed if "unclear" in error], failed
    assert watched.slowest <= fault.slowest, f"a call took {watched.slowest:.1f} s"
    assert watched.back <= fault.back, f"all was as before only after {watched.back:.1f} s"
    if fault.promise is Promise.ANSWERED:
        assert failed == {}
    elif fault.promise is not Promise.CUT:
        assert all(error[0].isdigit() for error in failed), failed


def bill(project: Project) -> float:
    """Return what the simulated OpenRouter has charged, in US dollars."""
    answer = httpx.get(f"{project.simulator_url}/admin/bill", timeout=20)
    return float(answer.raise_for_status().json()["total_usd"])


def tried(fault: Fault[Place], watched: Watched) -> Tried:
    """Return the line for `./fridayctl prove`."""
    count = sum(watched.failed().values())
    broken = fault.promise is Promise.ANSWERED
    return Tried(
        group="faults",
        name=fault.name,
        tried=len(watched.records),
        failed=count if broken else 0,
        refused=0 if broken else count,
        seconds=round(watched.seconds, 1),
        figures={"slowest, seconds": round(watched.slowest, 1), "back after, seconds": round(watched.back, 1)},
    )
