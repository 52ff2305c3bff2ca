"""Users who come back to the replica that they know, with plain requests and with web sockets."""

import asyncio
from collections.abc import Iterator

import aiohttp
import pytest

from tests.integration.edge.stage import Stage, echoed

pytestmark = pytest.mark.engine

COOKIE = "FRIDAYREPLICA"


@pytest.fixture
def sticky() -> Iterator[Stage]:
    stage = Stage()
    try:
        stage.start_edge(sticky_cookie=COOKIE)
        yield stage
    finally:
        stage.close()


class User:
    """A user's browser, as far as cookies are concerned."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.cookies = {"session": "abc"}
        self.attributes = ""

    def ask(self) -> str:
        """Return which replica answered; what it got as cookies is what is not the edge's own."""
        sent = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        request = f"GET /chat HTTP/1.1\r\nHost: e\r\nConnection: close\r\nCookie: {sent}\r\n\r\n"
        answer = self.stage.raw("users", request.encode())
        for line in answer.split("\r\n\r\n", 1)[0].lower().split("\r\n"):
            if line.startswith("set-cookie: "):
                value, _, self.attributes = line.removeprefix("set-cookie: ").partition("; ")
                self.cookies[COOKIE] = value.partition("=")[2]
        assert dict(echoed(answer)["headers"])["cookie"] == "session=abc"
        return str(echoed(answer)["replica"])


def test_a_user_comes_back_to_the_same_replica_until_it_leaves(sticky: Stage) -> None:
    for _ in range(2):
        sticky.start_replica("friday", DRAIN_SECONDS="3")
    sticky.until_up("friday", 2)
    assert len({User(sticky).ask() for _ in range(6)}) == 2
    user = User(sticky)
    home = user.ask()
    given = user.cookies[COOKIE]
    sticky.start_replica("friday", DRAIN_SECONDS="3")
    sticky.until_up("friday", 3)
    assert {user.ask() for _ in range(9)} == {home}
    assert user.cookies[COOKIE] == given
    assert user.attributes == "path=/; httponly"
    sticky.write_files(sticky_cookie=COOKIE, friday_replicas=5)
    sticky.until(lambda: sticky.taken() == "taken")
    assert {user.ask() for _ in range(9)} == {home}

    leaving = next(each for each in sticky.replicas("friday") if each.name == home)
    leaving.kill("SIGTERM")
    seen = [user.ask()]
    while leaving.status != "exited":
        seen.append(user.ask())
        leaving.reload()
    sticky.until_up("friday", 2)
    settled = {user.ask() for _ in range(9)}
    assert len(settled) == 1
    assert home not in settled
    assert user.cookies[COOKIE] != given


def test_a_web_socket_goes_through_and_comes_back_to_its_replica(sticky: Stage) -> None:
    for _ in range(2):
        sticky.start_websockets_replica()
    sticky.until_up("friday", 2)
    asyncio.run(_talk(sticky))


async def _talk(stage: Stage) -> None:
    url = f"http://127.0.0.1:{stage.ports['users']}/socket"
    # A host that is an address keeps no cookies unless told.
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        homes = set()
        for turn in range(4):
            async with browser.ws_connect(url) as socket:
                for number in range(3):
                    await socket.send_str(f"{turn} {number}")
                    name, _, said = (await socket.receive_str()).partition(" ")
                    assert said == f"{turn} {number}"
                    homes.add(name)
        assert len(homes) == 1
        async with browser.ws_connect(url) as socket:
            home = next(each for each in stage.replicas("friday") if each.name in homes)
            await asyncio.to_thread(home.stop, timeout=10)
            last = await socket.receive()
            assert (last.type, last.data) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.GOING_AWAY)
        async with browser.ws_connect(url) as socket:
            await socket.send_str("again")
            assert not homes & {(await socket.receive_str()).partition(" ")[0]}
