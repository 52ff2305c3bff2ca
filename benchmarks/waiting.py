"""Waits for a server that was just started."""

import time
from collections.abc import Callable

import httpx


def wait_until_ready(url: str, seconds: float, running: Callable[[], bool] = lambda: True) -> None:
    """Ask until `url` answers with success; RuntimeError after `seconds`, or when the server is no longer running."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and running():
        try:
            if httpx.get(url, timeout=5, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"there is no good answer from {url}")
