"""Things that go on side by side: an update, what happens in the middle of it, and a wait for what comes of it."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import httpx

from testing.project import Project


def until(
    condition: Callable[[], object], what: str | Callable[[], str], seconds: float = 180, every: float = 0.2
) -> None:
    """Wait until something is true, asking once `every` seconds; AssertionError, which says `what`, when it is not."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in time: {what if isinstance(what, str) else what()}"
        time.sleep(every)


def until_answered(
    url: str,
    seconds: float,
    running: Callable[[], bool] = lambda: True,
    said: Callable[[], str] = str,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Wait until a server answers with success; AssertionError, with what it `said`, when it does not or has ended."""

    def answers() -> bool:
        assert running(), f"what should answer at {url} has ended\n{said()}"
        try:
            return httpx.get(url, headers=headers, timeout=5, trust_env=False).is_success
        except httpx.TransportError:
            return False

    until(answers, lambda: f"a good answer from {url}\n{said()}", seconds, every=0.1)


def timed(action: Callable[[], object]) -> float:
    """Do something; return the seconds that it took."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def in_the_middle(
    project: Project, percentage: int, seen: Callable[[], object], meanwhile: Callable[[], object], code: int = 0
) -> str:
    """Change the percentage; call `meanwhile` as soon as what is `seen` on the host changes; return what was said."""
    before = seen()
    project.configure({"rolloutPercentage": percentage})
    with ThreadPoolExecutor(1) as pool:
        update = pool.submit(project.fridayctl, "up", project.stack, code=code)
        until(lambda: update.done() or seen() != before, "a change on the host")
        assert not update.done(), update.result().text
        meanwhile()
        return update.result().text


def refused_in_the_middle(project: Project, percentage: int, seen: Callable[[], object]) -> None:
    """Change the percentage; a second update in the middle of that is told who is at it, and the first one goes on."""
    said: list[str] = []
    in_the_middle(project, percentage, seen, lambda: said.append(project.fridayctl("up", project.stack, code=1).err))
    assert f"another update of {project.stack} is going on" in said[0]
    assert "created by " in said[0]
    assert project.chat(percentage).path == "direct"
