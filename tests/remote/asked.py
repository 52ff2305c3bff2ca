"""Users who ask while something is done to the stack on a rig."""

import asyncio
from collections.abc import Callable, Sequence

from benchmarks.load import Enough, Plan, Record, run
from benchmarks.load_during import LoadDuring, during, under_load
from testing.meanwhile import timed

PER_SECOND = 15.0
"""Questions, enough to meet each moment of a change. At the benchmarks' 50 the two processors that all hosts of a rig
may have to share are busy with the users alone, and what is late then says nothing about the change."""


def asked_meanwhile(url: str, action: Callable[[], object]) -> LoadDuring:
    """Let users ask while something is done, and for a while before and after it."""
    return under_load(url, lambda: timed(action), rate=PER_SECOND)


def asked_at_each(urls: Sequence[str], action: Callable[[], object]) -> list[list[Record]]:
    """Do the same at several addresses, which share the users; return what each address answered."""

    async def ask(enough: Enough) -> list[list[Record]]:
        return await asyncio.gather(*(run(Plan(url, PER_SECOND / len(urls), until=enough)) for url in urls))

    return during(lambda: timed(action), ask)[0]
