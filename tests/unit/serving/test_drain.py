"""The draining server as a real process: what a load balancer and a running request see during SIGTERM."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn

from serving.drain import serve
from testing.ports import free_ports

ROOT = Path(__file__).parents[3]

SERVICE = """
import asyncio, sys
from serving.drain import serve

async def app(scope, receive, send):
    if scope["type"] != "http":
        raise RuntimeError("no lifespan here")
    path = scope["path"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"keep-alive")]})
    if path == "/stream":
        for number in range(8):
            await send({"type": "http.response.body", "body": b"%d " % number, "more_body": True})
            await asyncio.sleep(0.25)
    if path == "/endless":
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        await asyncio.sleep(60)
    await send({"type": "http.response.body", "body": b"done"})

port, drain, grace = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
serve(app, host="127.0.0.1", port=port, health_paths=frozenset({"/healthz"}), drain_seconds=drain,
      grace_seconds=grace, on_started=lambda: print("started", flush=True), log_level="warning")
print("left in order", flush=True)
"""


class Service:
    """One server process on a port of its own."""

    def __init__(self, port: int, *, drain: float = 1.0, grace: float = 5.0) -> None:
        self.port = port
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVICE, str(port), str(drain), str(grace)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait_started(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "started\n"

    def get(self, path: str, connection: http.client.HTTPConnection | None = None) -> http.client.HTTPResponse:
        connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path)
        return connection.getresponse()

    def accepts(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except ConnectionRefusedError:
            return False
        return True

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        wait_until(lambda: self.get("/healthz").status == 503)

    def leave(self, timeout: float = 10) -> tuple[int, str]:
        output, _ = self.process.communicate(timeout=timeout)
        return self.process.returncode, output


def wait_until(condition: Callable[[], bool], timeout: float = 5) -> None:
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "the condition never came true"
        time.sleep(0.02)


@contextmanager
def running(drain: float = 1.0, grace: float = 5.0) -> Iterator[Service]:
    service = Service(free_ports(1)[0], drain=drain, grace=grace)
    try:
        service.wait_started()
        yield service
    finally:
        service.process.kill()
        service.process.wait()
        if service.process.stdout is not None:
            service.process.stdout.close()


def test_serves_and_keeps_connections_until_told_to_leave() -> None:
    with running() as service:
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=5)
        for path in ("/healthz", "/work"):
            response = service.get(path, connection)
            assert (response.status, response.read()) == (200, b"done")
            assert response.getheader("connection") == "keep-alive"


def test_health_says_no_while_work_is_still_accepted_on_closing_connections() -> None:
    with running(drain=2.0) as service:
        service.terminate()
        health = service.get("/healthz")
        assert (health.status, health.read()) == (503, b'{"status":"draining"}')
        assert health.getheader("connection") == "close"
        work = service.get("/work")
        assert (work.status, work.read(), work.getheader("connection")) == (200, b"done", "close")


def test_listener_stays_for_the_drain_time_and_then_the_process_leaves_in_order() -> None:
    with running(drain=1.0) as service:
        service.process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        while time.monotonic() - begun < 0.8:
            assert service.accepts()
            time.sleep(0.05)
        code, output = service.leave()
        assert code == 0
        assert "left in order" in output
        assert not service.accepts()


def test_a_stream_that_runs_is_finished_after_the_listener_closed() -> None:
    with running(drain=0.2) as service:
        stream = service.get("/stream")
        assert stream.read(2) == b"0 "
        service.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not service.accepts())
        assert stream.read() == b"1 2 3 4 5 6 7 done"
        assert service.leave()[0] == 0


def test_an_idle_kept_connection_does_not_delay_the_exit() -> None:
    with running(drain=0.2, grace=30) as service:
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=5)
        service.get("/work", connection).read()
        service.process.send_signal(signal.SIGTERM)
        assert service.leave(timeout=5)[0] == 0
        connection.close()


def test_what_outlives_the_grace_time_is_cancelled() -> None:
    with running(drain=0.1, grace=1.0) as service:
        endless = service.get("/endless")
        assert endless.read(5) == b"begun"
        service.process.send_signal(signal.SIGTERM)
        assert service.leave(timeout=5)[0] == 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_the_process_at_once(second: signal.Signals) -> None:
    with running(drain=30, grace=30) as service:
        endless = service.get("/endless")
        assert endless.read(5) == b"begun"
        service.terminate()
        service.process.send_signal(second)
        code, output = service.leave(timeout=3)
        assert code == 128 + second
        assert "left in order" not in output


def test_interrupt_from_a_terminal_drains_too() -> None:
    with running(drain=30, grace=30) as service:
        service.process.send_signal(signal.SIGINT)
        wait_until(lambda: service.get("/healthz").status == 503)
        assert service.process.poll() is None


def test_a_port_in_use_is_an_error_and_never_another_port() -> None:
    with running() as first:
        second = Service(first.port)
        code, output = second.leave()
        assert code == 1
        assert "Address already in use" in output
        assert first.get("/work").read() == b"done"


def test_a_uvicorn_that_cannot_drain_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    async def app(*_: object) -> None: ...

    port = free_ports(1)[0]
    monkeypatch.delattr(uvicorn.Server, "on_tick")
    with pytest.raises(RuntimeError, match="its Server has no on_tick"):
        serve(app, host="127.0.0.1", port=port, health_paths=frozenset(), drain_seconds=0, grace_seconds=0)
