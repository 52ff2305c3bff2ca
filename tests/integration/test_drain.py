"""A Friday of the team's own that ignores SIGTERM is replaced, and nobody's answer or web socket is lost."""

import asyncio
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from components import edge
from ops.hosts import edge_runtime
from ops.hosts.docker_host import DockerHost
from ops.hosts.edge_runtime import Slot
from testing.meanwhile import until
from testing.project import Project

pytestmark = pytest.mark.engine

SERVER = Path(__file__).with_name("deaf_friday.py")
PER_SECOND, SOCKETS = 4, 12
_CHAT = b"POST /api/chat HTTP/1.1\r\nHost: e\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
_SOCKET = (
    b"GET /ws HTTP/1.1\r\nHost: e\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Users:
    """Users who chat at a steady rate, and others who hold a web socket each and come back when it is closed."""

    def __init__(self, project: Project) -> None:
        self._port = project.settings["edge"]["port"]
        self.chats: list[str] = []
        self.returned: list[str] = []
        self._end = False

    def meanwhile(self, action: Callable[[], object]) -> None:
        """Let them begin, do something, and let those finish who still wait for an answer."""
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(asyncio.run, self._all())
            try:
                until(lambda: self.chats or running.done(), "a first answer")
                action()
            finally:
                self._end = True
            running.result()

    async def _all(self) -> None:
        sockets = [asyncio.create_task(self._hold_socket()) for _ in range(SOCKETS)]
        chats = set()
        while not self._end:
            chats.add(asyncio.create_task(self._chat()))
            await asyncio.sleep(1 / PER_SECOND)
        await asyncio.gather(*chats)
        for each in sockets:
            each.cancel()
        done = await asyncio.gather(*sockets, return_exceptions=True)
        assert [each for each in done if not isinstance(each, asyncio.CancelledError)] == []

    async def _chat(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(_CHAT)
        answer = (await reader.read(-1)).decode()
        writer.close()
        whole = answer.startswith("HTTP/1.1 200") and answer.endswith("\r\n\r\ndone\n")
        self.chats.append(_percentage(answer) if whole else answer)

    async def _hold_socket(self) -> None:
        returning = False
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            writer.write(_SOCKET)
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            assert head.startswith("HTTP/1.1 101"), head
            if returning:
                self.returned.append(_percentage(head))
            await reader.read(-1)
            writer.close()
            returning = True


def _percentage(answer: str) -> str:
    return answer.lower().split("x-percentage: ")[1].split("\r\n")[0]


@pytest.fixture(scope="module")
def deaf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A stack with a Friday that does not hear SIGTERM, and without a gateway, which has no part in it."""
    made = Project.create(tmp_path_factory.mktemp("drain"))
    made.fridayctl("setup", seconds=900)
    context = tmp_path_factory.mktemp("image")
    shutil.copy(SERVER, context)
    (context / "Dockerfile").write_text(
        f"FROM {made.images()['friday']}\nUSER root\nRUN useradd node\nCOPY {SERVER.name} /\n"
        f'ENTRYPOINT ["python3", "/{SERVER.name}"]\n'
    )
    image = f"friday-of-the-deaf:{made.stack}"
    try:
        made.engine.images.build(path=str(context), tag=image, rm=True)
        friday = {**made.settings["friday"], "image": image, "probeClient": "python", "stopGraceSeconds": 15}
        made.configure({"friday": friday, "litellmEnabled": False, "litellm": {"replicas": 0}, "rolloutPercentage": 30})
        made.fridayctl("up", made.stack)
        yield made
    finally:
        made.remove()
        made.engine.images.remove(image)


def slots(project: Project) -> list[Slot]:
    """Return the edge's slots for Friday's replicas."""
    (answer,) = edge_runtime.ask(DockerHost(project.engine), project.stack, edge_runtime.SHOW_SLOTS).values()
    return [slot for slot in edge_runtime.slots(answer) if slot.backend in (edge.FRIDAY, edge.WEB_SOCKETS)]


def test_a_changed_percentage_loses_no_answer_and_closes_web_sockets_when_successors_take_them(deaf: Project) -> None:
    old = {container.id for container in deaf.containers("friday")}
    users, said = Users(deaf), []
    deaf.configure({"rolloutPercentage": 31})
    users.meanwhile(lambda: said.append(deaf.fridayctl("up", deaf.stack).text))
    assert set(users.chats) == {"30", "31"}  # whole answers only
    assert users.returned
    assert set(users.returned) == {"31"}
    assert re.search(r"waiting for \d+ requests? and \d+ web sockets? of 2 old replicas", said[0])
    assert old.isdisjoint({container.id for container in deaf.containers("friday")})
    assert not any(slot.held for slot in slots(deaf))
    assert sum(slot.up for slot in slots(deaf)) == 2 * 2  # each replica, for requests and for web sockets


def test_what_an_update_that_was_killed_left_out_of_use_is_used_again(deaf: Project) -> None:
    held = "; ".join(edge_runtime.set_state(slot, "maint") for slot in slots(deaf) if slot.address)
    edge_runtime.ask(DockerHost(deaf.engine), deaf.stack, held)
    assert not any(slot.up for slot in slots(deaf))
    assert "nothing to change" in deaf.fridayctl("up", deaf.stack).out
    until(lambda: sum(slot.up for slot in slots(deaf)) == 2 * 2, "both replicas in use")
