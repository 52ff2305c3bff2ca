"""Users who are all there at once; each asks again as soon as it has its answer."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

USERS = 100
"""As many as the migration plan tests."""
OK = "ok"

Ask = Callable[[int], Awaitable[object]]


async def run_users(ask: Ask, enough: Callable[[], bool], users: int = USERS) -> Counter[str]:
    """Let users 0 to `users - 1` ask until `enough()`; how often each outcome came: `OK`, or an exception's name."""
    outcomes: Counter[str] = Counter()

    async def user(number: int) -> None:
        while not enough():
            try:
                await ask(number)
            except Exception as error:
                outcomes[type(error).__name__] += 1
            else:
                outcomes[OK] += 1

    await asyncio.gather(*(user(number) for number in range(users)))
    return outcomes


def failures(outcomes: Counter[str]) -> dict[str, int]:
    """Return the outcomes that are no answer."""
    return {name: count for name, count in outcomes.items() if name != OK}


def describe(calls: int, failed: Mapping[str, int]) -> str:
    """Return text for a note: of how many calls, and which failures."""
    return f"of {calls}" + "".join(f", {count} {name}" for name, count in failed.items())
