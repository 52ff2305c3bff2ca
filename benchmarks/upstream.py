"""An upstream for measurements that need no stack: the simulator alone, as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.integration.helpers import ROOT
from tests.ports import free_ports

KEY = "bench-key"
"""Opens the simulator's only account."""
START_SECONDS = 30.0
_UNLIMITED = str(10**9)


@contextmanager
def simulator(latency_ms: float) -> Iterator[str]:
    """Serve without limits on a free port of this machine; yields the base URL of the API that `KEY` opens.

    Raises RuntimeError when it does not start.
    """
    port = free_ports(1)[0]
    environment = {
        "PATH": os.environ["PATH"],
        "SIMULATOR_API_KEYS": KEY,
        "SIMULATOR_HOST": "127.0.0.1",
        "SIMULATOR_PORT": str(port),
        "SIMULATOR_LATENCY_MS": str(latency_ms),
        "SIMULATOR_RPM": _UNLIMITED,
        "SIMULATOR_RPD": _UNLIMITED,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/healthz", process)
        yield f"http://127.0.0.1:{port}/api/v1"
    finally:
        process.kill()
        process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(url, trust_env=False)
            return
        except httpx.TransportError:
            time.sleep(0.05)
    raise RuntimeError("the simulator did not start")
