"""A real simulator on a loopback port, and a client for it."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn

from simulator.accounts import Limits
from simulator.app import create_app
from simulator.config import Settings, parse_keys
from simulator.state import Clock, Simulator
from simulator.transports import ConnectionProtocol

KEYS = "sk-or-v1-aaaaaaaaaaaaaaaaaaaaaaaa first\nkey-two second\nkey-boss first management"
FIRST = "sk-or-v1-aaaaaaaaaaaaaaaaaaaaaaaa"
GEMMA = "google/gemma-4-31b-it:free"
GEMMA_SMALL = "google/gemma-4-26b-a4b-it:free"
PAID = "openai/gpt-4o"
START = 1_795_478_430.0
"""2026-11-24 00:00:30 UTC, half a minute into a day and a minute."""


class ManualClock(Clock):
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = START
        super().__init__(lambda: self.time)


@dataclass
class Api:
    """The running simulator and a client of its first account."""

    sim: Simulator
    clock: ManualClock
    http: httpx.Client

    def chat(self, model: str | None = GEMMA, *, key: str = FIRST, **fields: Any) -> httpx.Response:
        """One chat request; `fields` go into the body."""
        body: dict[str, Any] = {"messages": [{"role": "user", "content": "What is an edge?"}]}
        if model is not None:
            body["model"] = model
        return self.http.post(
            "/api/v1/chat/completions", json={**body, **fields}, headers={"Authorization": f"Bearer {key}"}
        )

    def get(self, path: str, key: str = FIRST) -> httpx.Response:
        """A GET with a key."""
        return self.http.get(path, headers={"Authorization": f"Bearer {key}"})

    def faults(self, *faults: dict[str, Any]) -> None:
        """Switch faults on."""
        self.http.put("/admin/faults", json=list(faults)).raise_for_status()

    def requests(self) -> list[dict[str, Any]]:
        """What the simulator recorded."""
        found: list[dict[str, Any]] = self.http.get("/admin/requests").json()["requests"]
        return found

    def eventually(self, holds: Callable[[], bool]) -> bool:
        """Whether it comes true within 15 seconds: the server may still be finishing."""
        end = time.monotonic() + 15
        while time.monotonic() < end:
            if holds():
                return True
            time.sleep(0.01)
        return holds()


def settings(**changes: Any) -> Settings:
    """Settings with this module's keys; limits out of the way unless a test sets them."""
    return Settings.model_validate({"keys": parse_keys(KEYS), "rpm": 10_000, "rpd": 10_000, **changes})


def start(sim: Simulator) -> tuple[uvicorn.Server, threading.Thread, str]:
    """Serve a simulator on a free loopback port."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(sim), http=ConnectionProtocol, log_level="critical", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    return server, thread, f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(scope="session")
def running() -> Iterator[Api]:
    """One server and client for all tests; each test resets it."""
    clock = ManualClock()
    sim = Simulator(settings(), clock)
    server, thread, url = start(sim)
    # A connection that is kept may be closed just as it is used again, on a machine that stood still for a while.
    with httpx.Client(base_url=url, timeout=5, limits=httpx.Limits(max_keepalive_connections=0)) as http:
        yield Api(sim, clock, http)
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def api(running: Api) -> Iterator[Api]:
    """The server in its first state."""
    running.clock.time = START
    running.http.post("/admin/reset", json={}).raise_for_status()
    yield running
    running.http.delete("/admin/faults").raise_for_status()


@pytest.fixture
def limited(api: Api) -> Iterator[Api]:
    """The published limits instead of none."""
    roomy = api.sim.accounts.limits
    api.sim.accounts.limits = Limits()
    yield api
    api.sim.accounts.limits = roomy
