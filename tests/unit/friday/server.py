"""The service as a process of its own, on a free port."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import httpx

from testing.ports import free_ports
from tests.unit.friday.given import ENVIRONMENT
from tests.unit.friday.upstream import Upstream

ROOT = Path(__file__).parents[3]


def command(environ: dict[str, str]) -> subprocess.Popen[str]:
    """Start `python3 -m friday.service` with exactly this environment."""
    base = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOST": "127.0.0.1"}
    return subprocess.Popen(
        [sys.executable, "-m", "friday.service"],
        env=base | environ,
        cwd="/",
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


class Service:
    """Running from `async with` on; ended by its end at the latest."""

    def __init__(self, gateway: Upstream, direct: Upstream, **environ: str) -> None:
        self.port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"
        self._environ = {
            **ENVIRONMENT,
            "ENABLE_LITELLM": "true",
            "LITELLM_ROLLOUT_PERCENTAGE": "50",
            "LITELLM_BASE_URL": gateway.url,
            "OPENROUTER_BASE_URL": direct.url,
            "PORT": str(self.port),
            "DRAIN_SECONDS": "0.5",
            **environ,
        }

    async def __aenter__(self) -> Self:
        self.process = command(self._environ)
        self.http = httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=10)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                await self.http.get("/healthz")
                return self
            except httpx.ConnectError:
                if self.process.poll() is not None:
                    raise AssertionError(self.process.communicate()) from None
                await asyncio.sleep(0.02)
        raise AssertionError("the service did not start")

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
