"""Replicas that are to go and do not drain by themselves: out of use at the edge, then idle, then stopped."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Collection, Mapping

from components import edge
from ops.errors import OperationError
from ops.hosts import edge_runtime
from ops.hosts.docker_host import DockerHost
from ops.hosts.edge_runtime import Slot
from ops.progress import Say

NOT_DRAINED = "the old replicas are not drained, their running requests may be cut"

_BACKENDS = (edge.FRIDAY, edge.WEB_SOCKETS)
_UP_SECONDS = 60.0  # many checks of the edge, also on a busy host
_EVERY_SECONDS = 0.5
_REPORT_SECONDS = 5.0
_STOP_SECONDS = 10  # what Docker gives a container too
_GONE_SECONDS = 5.0  # a stopped container is out of the name server's answer at once, and the edge asks every 0.2 s
_SOCKETS_A_SECOND = 5
_Seen = Mapping[str, list[Slot]]


class NotServedError(OperationError):
    """What is to stay gets no request: to remove the others would leave nobody to answer."""


class EdgeDrain:
    """Takes Friday's replicas out of use at all edges of one host, for an update that is about to remove them."""

    def __init__(self, host: DockerHost, stack: str, say: Say, going_on: Callable[[], None] = lambda: None) -> None:
        """`going_on` is called before each look, and raises when the update has been given up (Ctrl-C, killed)."""
        self._host = host
        self._stack = stack
        self._say = say
        self._going_on = going_on
        self._told_to_end: set[tuple[str, str]] = set()

    async def hand_over(self, staying: Collection[str], network: str, grace_seconds: int) -> None:
        """Leave the users to the containers that stay, and stop the others once they have no request, or time is over.

        What an update that was cut short has left out of use is used again. Raises NotServedError when no edge sends
        requests to what stays, and OperationError when the host or its edge does not do what it is told.
        """
        found = await asyncio.to_thread(self._host.addresses, self._stack, edge.FRIDAY, network)
        leaving = {name: address for name, address in found.items() if name not in staying}
        if not leaving:
            await asyncio.to_thread(self._hold, set())
            return
        await self._until_up({address for name, address in found.items() if name in staying}, len(staying))
        addresses = set(leaving.values())
        ends = time.monotonic() + grace_seconds
        await self._until_idle(addresses, ends)
        self._going_on()
        left = max(1, min(_STOP_SECONDS, math.ceil(ends - time.monotonic())))
        await asyncio.gather(*(asyncio.to_thread(self._host.stop, name, left) for name in leaving))
        # The next address to take a slot would be out of use with it.
        await _until(
            lambda: asyncio.to_thread(self._hold, addresses), lambda seen: _free(seen, addresses), _GONE_SECONDS
        )

    async def _until_up(self, staying: set[str], count: int) -> None:
        """Wait until each edge sends requests to all that stays: the engine's probe is not the edge's."""

        def fewest(seen: _Seen) -> int:
            up = [
                {each.address for each in found if each.up and each.backend == edge.FRIDAY} for found in seen.values()
            ]
            return min((len(staying & each) for each in up), default=0)

        def look() -> Awaitable[_Seen]:
            self._going_on()
            # What an update that was cut short began to empty may be what stays now.
            return asyncio.to_thread(self._hold, set())

        seen = await _until(look, lambda seen: fewest(seen) >= count, _UP_SECONDS)
        if not seen:
            raise OperationError("no edge answers", f"./fridayctl status {self._stack} shows the containers")
        if not fewest(seen):
            what = f"the edge sends no request to the new replicas of friday after {_UP_SECONDS:.0f} s"
            fix = f"is friday.healthPath right? After a cut-short update: ./fridayctl drift {self._stack} --fix"
            raise NotServedError(f"{what}; the old ones keep serving", fix)
        if (up := fewest(seen)) < count:
            self._say(f"the edge sends requests to {up} of {count} replicas only; going on with these")

    async def _until_idle(self, leaving: set[str], ends: float) -> None:
        """Hold what leaves and end its web sockets, until nothing runs there; no longer than until `ends`."""
        said, rate = -math.inf, 0.0
        while True:
            self._going_on()
            seen = await asyncio.to_thread(self._hold, leaving)
            going = [slot for found in seen.values() for slot in found if slot.address in leaving]
            requests, sockets = (sum(slot.running for slot in going if slot.backend == each) for each in _BACKENDS)
            if not requests:  # asked last, for they are few: those of before this update's reload of the edge
                requests = await asyncio.to_thread(edge_runtime.running_in_older, self._host, self._stack, leaving)
            idle = bool(seen) and all(slot.held for slot in going) and not requests + sockets
            now = time.monotonic()
            if idle or now >= ends:
                break
            if now >= said + _REPORT_SECONDS and requests + sockets:
                self._say(f"waiting for {counted(requests, sockets)} of {len(leaving)} old replicas")
                said = now
            if sockets:
                rate = rate or sockets_a_second(sockets, ends - now)
                await asyncio.to_thread(self._end_sockets, seen, leaving, math.ceil(rate * _EVERY_SECONDS))
            await asyncio.sleep(_EVERY_SECONDS)
        if not idle:
            self._say(f"the grace time is over; stopping {len(leaving)} old replicas with {counted(requests, sockets)}")

    def _look(self) -> _Seen:
        """Return the slots of each edge that answers; one that is just coming or going says nothing."""
        seen = {}
        for name, answer in edge_runtime.ask(self._host, self._stack, edge_runtime.SHOW_SLOTS).items():
            try:
                found = edge_runtime.slots(answer)
            except ValueError:
                continue
            seen[name] = [slot for slot in found if slot.backend in _BACKENDS]
        return seen

    def _hold(self, leaving: Collection[str]) -> _Seen:
        """Take the slots of these addresses out of use, give all others back, and return what was there before."""
        seen = self._look()
        for name, found in seen.items():
            wrong = [slot for slot in found if slot.held is not (slot.address in leaving)]
            if wrong:
                told = (edge_runtime.set_state(slot, "ready" if slot.held else "maint") for slot in wrong)
                edge_runtime.ask(self._host, self._stack, "; ".join(told), name)
        return seen

    def _end_sockets(self, seen: _Seen, leaving: set[str], most: int) -> None:
        """End so many web sockets with what leaves, at each edge: their clients come back, to what stays.

        HAProxy does not end one whose client has gone and whose replica has not noticed: each is told once, so that
        such ones keep no other's turn.
        """
        for name, found in seen.items():
            slots = {slot.name for slot in found if slot.backend == edge.WEB_SOCKETS and slot.address in leaving}
            said = edge_runtime.ask(self._host, self._stack, "show sess", name).get(name, "")
            open_ones = edge_runtime.slot_sessions(said, edge.WEB_SOCKETS)
            ids = [each for each, slot in open_ones if slot in slots and (name, each) not in self._told_to_end][:most]
            if ids:
                told = (f"shutdown session {session}" for session in ids)
                edge_runtime.ask(self._host, self._stack, "; ".join(told), name)
                self._told_to_end.update((name, session) for session in ids)


def _free(seen: _Seen, leaving: set[str]) -> bool:
    """Return whether no edge has one of these addresses any more."""
    return not any(slot.held or slot.address in leaving for found in seen.values() for slot in found)


def sockets_a_second(sockets: int, left_seconds: float) -> float:
    """Return how fast so many are ended: in turn, lest their clients come back all at once, and in half of the time."""
    return max(_SOCKETS_A_SECOND, 2 * sockets / max(1.0, left_seconds))


def counted(requests: int, sockets: int) -> str:
    """Return the words for what runs."""
    of = [
        f"{number} {what}{'s' if number > 1 else ''}"
        for number, what in ((requests, "request"), (sockets, "web socket"))
    ]
    return " and ".join(text for text, number in zip(of, (requests, sockets), strict=True) if number)


async def _until(look: Callable[[], Awaitable[_Seen]], good: Callable[[_Seen], bool], seconds: float) -> _Seen:
    """Do as `waiting.look_until` does, without blocking: Ctrl-C ends it between two looks."""
    deadline = time.monotonic() + seconds
    while not good(seen := await look()) and time.monotonic() < deadline:
        await asyncio.sleep(_EVERY_SECONDS)
    return seen
