"""The whole service on a real server, between two fake upstreams."""

import re
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import uvicorn

from friday.llm.config import read_environment
from friday.service.app import create_app
from friday.service.settings import ServiceSettings
from tests.unit.friday.given import ENVIRONMENT
from tests.unit.friday.upstream import Upstream

ON, OFF = 7, 77
"""A user on each path, at the 50 % of `settings`."""


def settings(gateway: Upstream, direct: Upstream, **environ: str) -> ServiceSettings:
    rollout = {"ENABLE_LITELLM": "true", "LITELLM_ROLLOUT_PERCENTAGE": "50", "LLM_DEADLINE_SECONDS": "3"}
    urls = {"LITELLM_BASE_URL": gateway.url, "OPENROUTER_BASE_URL": direct.url}
    return read_environment(ServiceSettings, {**ENVIRONMENT, **rollout, **urls, **environ})


async def serve(wanted: ServiceSettings) -> AsyncIterator[httpx.AsyncClient]:
    """The application on uvicorn, in a thread of its own so that a stuck one fails one test only."""
    server = uvicorn.Server(uvicorn.Config(create_app(wanted), port=0, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        yield http
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


def chat(user_id: int | None = ON, **more: Any) -> dict[str, Any]:
    return {"user_id": user_id, "message": "Hi"} | more


async def metrics_of(http: httpx.AsyncClient) -> str:
    """What the service shows to Prometheus, without the label that says which process it is."""
    text = (await http.get("/metrics")).text
    return re.sub(r'(?<=\{)life="\w+",|,?life="\w+"', "", text).replace("{} ", " ")
