"""Replicas come and go under load: nothing is lost, and no chat is sent twice."""

import asyncio
import json
import threading

import pytest

from tests.integration.edge.stage import Stage, echoed, post

pytestmark = pytest.mark.engine

PORTS = [("friday", "users", "/api/chat"), ("litellm", "internal", "/chat/completions")]


class Load:
    """50 requests a second: half on connections of their own, half on one that is kept."""

    def __init__(self, port: int, path: str) -> None:
        self.port = port
        self.path = path
        self.answers: list[str] = []
        self.stopped = threading.Event()

    def __enter__(self) -> "Load":
        self.thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.thread.join()

    async def _run(self) -> None:
        fresh: set[asyncio.Task[None]] = set()
        kept = asyncio.create_task(self._keep_asking())
        while not self.stopped.is_set():
            fresh.add(asyncio.create_task(self._ask_once()))
            await asyncio.sleep(0.04)
        await asyncio.gather(kept, *fresh)

    async def _ask_once(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        await self._ask(reader, writer)
        writer.close()

    async def _keep_asking(self) -> None:
        while not self.stopped.is_set():
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            while not self.stopped.is_set() and await self._ask(reader, writer):
                await asyncio.sleep(0.04)
            writer.close()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Ask once; return whether the connection may be used again, as its answer says."""
        try:
            writer.write(f"POST {self.path} HTTP/1.1\r\nHost: e\r\nContent-Length: 2\r\n\r\n{{}}".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
            body = (await reader.readexactly(length)).decode()
            self.answers.append(json.loads(body)["replica"] if " 200 " in head else f"failed: {head}")
            return "connection: close" not in head.lower()
        except (OSError, asyncio.IncompleteReadError, IndexError) as error:
            self.answers.append(f"failed: {error!r}")
            return False

    def failures(self) -> list[str]:
        """Return the answers that were none."""
        return [answer for answer in self.answers if answer.startswith("failed")]


@pytest.mark.parametrize(("part", "port", "path"), PORTS)
def test_replacing_both_replicas_loses_no_request(stage: Stage, part: str, port: str, path: str) -> None:
    old = stage.replicas(part)
    with Load(stage.ports[port], path) as load:
        stage.until(lambda: len(load.answers) > 50)
        new = [stage.start_replica(part) for _ in old]
        stage.until_up(part, 4)
        for container in old:
            container.stop(timeout=10)
        stage.until_up(part, 2)
        seen = len(load.answers)
        stage.until(lambda: len(load.answers) > seen + 50)
    assert not load.failures()
    names = {str(container.name) for container in new}
    assert set(load.answers[-40:]) == names


def test_a_draining_replica_finishes_its_stream(stage: Stage) -> None:
    answers: list[str] = []
    thread = threading.Thread(
        target=lambda: answers.append(stage.raw("internal", post("/chat/completions", '{"stream"}')))
    )
    thread.start()
    stage.until(lambda: stage.busy("litellm"))
    for container in stage.replicas("litellm"):
        container.kill("SIGTERM")
    stage.until_up("litellm", 0)
    assert thread.is_alive()
    thread.join()
    assert answers[0].count("data: ") == 8
    assert answers[0].endswith("0\r\n\r\n")
    assert [container.wait()["StatusCode"] for container in stage.replicas("litellm")] == [0, 0]


@pytest.mark.parametrize(("part", "port", "path"), PORTS)
def test_a_killed_replica_is_passed_over_at_once(stage: Stage, part: str, port: str, path: str) -> None:
    victim, survivor = stage.replicas(part)
    victim.kill()
    answers = [echoed(stage.raw(port, post(path)))["replica"] for _ in range(20)]
    assert set(answers) == {survivor.name}


def test_a_chat_that_may_have_been_served_is_not_repeated(stage: Stage) -> None:
    answers: list[str] = []
    thread = threading.Thread(
        target=lambda: answers.append(stage.raw("internal", post("/chat/completions", '{"slow"}')))
    )
    thread.start()
    stage.until(lambda: stage.busy("litellm"))
    victim = stage.busy("litellm")
    assert victim
    victim.kill()
    thread.join()
    assert answers[0].startswith("HTTP/1.1 502")
    assert stage.served("litellm") == 1
    assert echoed(stage.raw("internal", post("/chat/completions")))["replica"] != victim.name
