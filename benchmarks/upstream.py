"""An upstream for measurements without a stack: the simulator alone, as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from testing.meanwhile import until_answered
from testing.ports import free_ports
from testing.project import ROOT

KEY = "bench-key"
"""Opens the simulator's only account."""
START_SECONDS = 30.0
_UNLIMITED = str(10**9)


@contextmanager
def simulator(latency_ms: float) -> Iterator[str]:
    """Serve without limits on a free port of this machine; yields the base URL of the API that `KEY` opens.

    Raises AssertionError when it does not start.
    """
    settings = {
        "SIMULATOR_API_KEYS": KEY,
        "SIMULATOR_LATENCY_MS": str(latency_ms),
        "SIMULATOR_RPM": _UNLIMITED,
        "SIMULATOR_RPD": _UNLIMITED,
    }
    with simulator_process(settings) as url:
        yield f"{url}/api/v1"


@contextmanager
def simulator_process(settings: Mapping[str, str]) -> Iterator[str]:
    """Run the simulator with these variables on a free port; yields where it answers. AssertionError as above."""
    port = free_ports(1)[0]
    own = {"PATH": os.environ["PATH"], "SIMULATOR_HOST": "127.0.0.1", "SIMULATOR_PORT": str(port)}
    url = f"http://127.0.0.1:{port}"
    with module_process("simulator", f"{url}/healthz", START_SECONDS, environment={**own, **settings}):
        yield url


@contextmanager
def module_process(
    module: str,
    healthy: str,
    seconds: float,
    arguments: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Run a module in a process of its own until the block ends; AssertionError when `healthy` is not answered in time.

    `environment` stands in place of this process's own.
    """
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        until_answered(healthy, seconds, running=lambda: process.poll() is None)
        yield
    finally:
        process.kill()
        process.wait()
