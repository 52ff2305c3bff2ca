"""The gateway against its OpenAPI description: requests that schemathesis makes of it, good and bad."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
import yaml

from gateway.quota import Quota
from tests.unit.gateway.given import CHAT, GATEWAY_KEY, MODELS, Client

DESCRIPTION = Path(__file__).parents[3] / "docs/gateway.openapi.yaml"
# What is refused besides, a schema cannot say: docs/API.md does.
CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]


@pytest.fixture
def address() -> Iterator[str]:
    """The request filter on a real server, as the gateway starts it."""
    client = Client(quota=Quota(10**9))
    server = uvicorn.Server(uvicorn.Config(client.filter, port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


def test_what_is_described_is_what_is_answered(address: str, tmp_path: Path) -> None:
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", str(DESCRIPTION), "--url", address),
        *("--checks", ",".join([*CHECKS, "ignored_auth", "unsupported_method"]), "--max-examples", "50"),
        *("--header", f"Authorization: Bearer {GATEWAY_KEY}", "--generation-deterministic", "--no-color"),
    ]
    done = subprocess.run(command, cwd=tmp_path, env={"NO_PROXY": "*"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[:20_000] + done.stderr[:2_000]


def test_it_describes_the_names_and_the_errors_that_there_are() -> None:
    schemas = yaml.safe_load(DESCRIPTION.read_text())["components"]["schemas"]
    assert schemas["Chat"]["properties"]["model"]["enum"] == list(MODELS)
    told = Client().chat({**CHAT, "temperature": 9}).json()["error"]
    assert set(told) == set(schemas["Error"]["properties"]["error"]["required"])
