"""The addresses of names, remembered for the time in which the name server does not answer.

In a container the name server is the Docker engine itself, so it is away whenever the engine is: killed, upgraded or
busy. What has an open connection does not notice; a new one could not be made. A name is asked for at each new
connection all the same, because what it leads to may be replaced at any time. Only what the very same name led to is
remembered, and TLS goes by the name as before, so nobody else is reached than was asked for.
"""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

ANSWER_SECONDS = 1.0
"""A name server that has not answered after this time is away. An engine answers in milliseconds."""
KEPT_SECONDS = 86_400.0
"""How long an address is remembered: over a night in which nobody asked. While an engine is away it gives no address to
another container, and what is asked by https proves its name."""

Addresses = tuple[tuple[socket.AddressFamily, str], ...]
"""The families and addresses of a name, in the order in which they should be tried."""
Ask = Callable[[str], Awaitable[Addresses]]


@dataclass(frozen=True)
class _Known:
    addresses: Addresses
    at: float
    """Of the monotonic clock, in seconds."""


class Names:
    """Asks for names by `ask`, and remembers. Use one instance per event loop."""

    def __init__(self, ask: Ask | None = None) -> None:
        self._ask = ask or ask_the_system
        self._known: dict[str, _Known] = {}
        self._asking: dict[str, tuple[asyncio.Task[Addresses], float]] = {}

    async def addresses(self, name: str) -> Addresses:
        """Return the addresses of a name, those of before while the name server is away.

        Raises socket.gaierror for a name that does not exist, and for one that was never answered.
        """
        asked, since = self._asked(name)
        known = self._remembered(name)
        if known is None:
            return await asyncio.shield(asked)
        # One question is enough for all who wait: each one holds a thread until the system gives up.
        left = max(since + ANSWER_SECONDS - time.monotonic(), 0)
        try:
            return await asyncio.wait_for(asyncio.shield(asked), left)
        except TimeoutError:
            return known
        except socket.gaierror as error:
            if error.errno != socket.EAI_AGAIN:
                raise
            return known

    def _asked(self, name: str) -> tuple[asyncio.Task[Addresses], float]:
        """Return the question that is asked just now, and since when; a new one where there is none."""
        if name not in self._asking:
            task = asyncio.ensure_future(self._ask(name))
            self._asking[name] = (task, time.monotonic())
            task.add_done_callback(lambda done: self._answered(name, done))
        return self._asking[name]

    def _answered(self, name: str, asked: asyncio.Task[Addresses]) -> None:
        del self._asking[name]
        if asked.cancelled():
            return
        error = asked.exception()  # also so that one which nobody waits for any more is not reported
        if error is None:
            self._known[name] = _Known(asked.result(), time.monotonic())
        elif not (isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN):
            self._known.pop(name, None)

    def _remembered(self, name: str) -> Addresses | None:
        known = self._known.get(name)
        return known.addresses if known and time.monotonic() - known.at < KEPT_SECONDS else None


async def ask_the_system(name: str) -> Addresses:
    """Return the addresses of a name, as the system's resolver gives them. Raises socket.gaierror."""
    found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return tuple((family, str(address[0])) for family, _, _, _, address in found)
