"""Old tasks of an image that a Swarm lets run to the end of their grace time: ended as soon as nobody needs them.

The Swarm has taken them from their name, so no edge sends them anything new. components/friday.py says why they run on.
"""

import asyncio
import math
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from components import edge
from ops.errors import OperationError
from ops.hosts import edge_runtime
from ops.hosts.docker_host import DockerHost
from ops.hosts.edge_drain import counted, sockets_a_second
from ops.hosts.edge_runtime import Session
from ops.hosts.swarm import SwarmManager
from ops.progress import Say

LEFT_TO_THE_SWARM = "the old replicas run on until the Swarm ends them, after friday.stopGraceSeconds"

_EVERY_SECONDS = 2.0  # also what a Swarm's hosts have to tell each other that a task has left its name
_REPORT_SECONDS = 5.0
_STOP_SECONDS = 10
_Running = Mapping[tuple[DockerHost, str], Sequence[Session]]
"""What runs with the old tasks, by the host and the name of each edge."""


@dataclass(frozen=True)
class SwarmDrain:
    """Ends what an update has left of Friday, at the edges of all `hosts`, by their addresses, and on them.

    `going_on` is called before each look, and raises when the update has been given up.
    """

    manager: SwarmManager
    hosts: Callable[[], Mapping[str, DockerHost]]
    stack: str
    say: Say
    going_on: Callable[[], None] = lambda: None

    async def finish(self, grace_seconds: int) -> None:
        """End each old task once no edge has a request of its, and its web sockets in turn, within its grace time.

        What needs longer is left to the Swarm. OperationError when an edge, or the manager, is not reached: what runs
        there is not known then.
        """
        if not await asyncio.to_thread(self.manager.leaving, self.stack, edge.FRIDAY):
            return
        hosts = list((await asyncio.to_thread(self.hosts)).values())
        ends, said, rate = time.monotonic() + grace_seconds, -math.inf, 0.0
        idle: set[str] = set()
        told: set[str] = set()
        while leaving := await asyncio.to_thread(self.manager.leaving, self.stack, edge.FRIDAY):
            self.going_on()
            if (now := time.monotonic()) >= ends:
                return
            running = await asyncio.to_thread(self._running, hosts, [each.address for each in leaving])
            of_all = [each for found in running.values() for each in found]
            sockets = sum(each.backend == edge.WEB_SOCKETS for each in of_all)
            if of_all and now >= said + _REPORT_SECONDS:
                self.say(f"waiting for {counted(len(of_all) - sockets, sockets)} of {len(leaving)} old replicas")
                said = now
            rate = rate or sockets_a_second(sockets, ends - now)
            await asyncio.to_thread(self._end_sockets, running, math.ceil(rate * _EVERY_SECONDS), told)
            busy = {each.address for each in of_all}
            now_idle = {each.container for each in leaving if each.address not in busy}
            # In two looks: an edge may have sent it something just before it heard that the task leaves.
            await asyncio.to_thread(_end, hosts, now_idle & idle)
            idle = now_idle
            await asyncio.sleep(_EVERY_SECONDS)

    def _running(self, hosts: Sequence[DockerHost], addresses: Collection[str]) -> _Running:
        """Ask all edges for what they have to do with some addresses; OperationError when one does not answer."""
        with ThreadPoolExecutor(max(1, len(hosts))) as pool:
            found = pool.map(lambda host: edge_runtime.at_work(host, self.stack, addresses), hosts)
            of_each = {
                (host, name): each for host, edges in zip(hosts, found, strict=True) for name, each in edges.items()
            }
        staying = sum(not each.leaves for each in of_each.values())
        if (wanted := self.manager.running(self.stack, edge.NAME)) > staying:
            fix = "name all hosts of the Swarm in swarmHosts"
            raise OperationError(f"{staying} of {wanted} edges say what runs there", fix)
        return {at: each.sessions for at, each in of_each.items()}

    def _end_sockets(self, running: _Running, most: int, told: set[str]) -> None:
        """End so many web sockets: their clients come back, to the new replicas. Each is told once: edge_drain.py."""
        for (host, name), found in running.items():
            sockets = (each.id for each in found if each.backend == edge.WEB_SOCKETS)
            ids = [each for each in sockets if f"{name} {each}" not in told][:most]
            most -= len(ids)
            told.update(f"{name} {each}" for each in ids)
            if ids:
                edge_runtime.end_sessions(host, self.stack, name, ids)


def _end(hosts: Sequence[DockerHost], containers: Iterable[str]) -> None:
    """End containers by their ids, each on the host that has it."""
    asked = [(host, container) for container in containers for host in hosts]
    with ThreadPoolExecutor(max(1, len(asked))) as pool:
        list(pool.map(lambda one: one[0].end(one[1], _STOP_SECONDS), asked))
