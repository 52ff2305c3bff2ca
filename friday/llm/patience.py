"""How long the gateway is waited for: while it lives, and then beside the direct path."""

import asyncio
from dataclasses import dataclass
from typing import TypeVar

from friday.llm import constants
from friday.llm.errors import LlmError

T = TypeVar("T")


class Life:
    """Signs that a model works on an answer: its thoughts. What only keeps a connection open is none."""

    def __init__(self) -> None:
        self._until = 0.0

    def seen(self) -> None:
        """A thought has arrived."""
        self._until = asyncio.get_running_loop().time() + constants.THOUGHT_SILENCE_SECONDS

    @property
    def until(self) -> float:
        """The point on the loop's clock until which the last thought counts as life; 0 when there was none."""
        return self._until

    @property
    def lasts(self) -> bool:
        """Whether the last thought is not long ago."""
        return self._until > asyncio.get_running_loop().time()


@dataclass(frozen=True)
class Span:
    """The time of a call: its begin on the loop's clock, and its length in seconds."""

    begin: float
    seconds: float

    def after(self, share: float) -> float:
        """Return the point at which a part of the time is over."""
        return self.begin + self.seconds * share

    @property
    def end(self) -> float:
        """The deadline."""
        return self.after(1)


async def wait_for_gateway(gateway: asyncio.Task[T], life: Life, span: Span) -> None:
    """Wait until the gateway's try has ended or its share of the time is over: the longer one while it shows life."""
    now = asyncio.get_running_loop().time
    share, longest = span.after(constants.GATEWAY_SHARE), span.after(constants.THINKING_SHARE)
    while not gateway.done() and (left := min(max(share, life.until), longest) - now()) > 0:
        await asyncio.wait({gateway}, timeout=left)


async def first_answer(*tasks: asyncio.Task[T]) -> asyncio.Task[T] | None:
    """Return the first of the tasks that ends without an LlmError; None once each has ended with one."""
    waiting = set(tasks)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in (each for each in tasks if each in done):
            if error_of(task) is None:
                return task
    return None


def error_of(task: asyncio.Task[T]) -> LlmError | None:
    """Return the LlmError that a task has ended with, if any."""
    error = task.exception() if task.done() and not task.cancelled() else None
    return error if isinstance(error, LlmError) else None


async def leave(*tasks: asyncio.Task[T] | None) -> None:
    """Cancel the tasks, and close an answer that came all the same."""
    left = [task for task in tasks if task is not None]
    for task in left:
        task.cancel()
    for answer in await asyncio.gather(*left, return_exceptions=True):
        if hasattr(answer, "aclose"):
            await answer.aclose()
