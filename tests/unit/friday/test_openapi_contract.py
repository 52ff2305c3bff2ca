"""The service against its own OpenAPI description: generated requests, good and bad, under every check there is."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from anyio.from_thread import start_blocking_portal
from schemathesis.checks import not_a_server_error

from tests.unit.friday.given import DIRECT_MODEL
from tests.unit.friday.served import OFF, serve, settings
from tests.unit.friday.upstream import Script, Upstream, delta, plain, stream

CONFIG = """
[checks.negative_data_rejection]
# A text far beyond its limit may not even fit into the largest body.
expected-statuses = [400, 413, 422]
"""
BODIES: dict[str, dict[str, Any]] = {
    "/api/chat": {"message": "Hi"},
    "/api/docs": {"title": "Plan", "notes": "x"},
    "/api/email/summary": {"body": "x"},
    "/api/email/labels": {"body": "x", "labels": ["Lead"]},
}


@dataclass(frozen=True)
class Service:
    """A running service: its address, what it says of itself, and the upstream of its direct path."""

    url: str
    direct: Upstream
    schema: schemathesis.BaseSchema


@asynccontextmanager
async def running() -> AsyncIterator[tuple[str, Upstream]]:
    async with Upstream(model="openrouter/z-ai/glm-4.5-air:free") as gateway, Upstream(model=DIRECT_MODEL) as direct:
        async for client in serve(settings(gateway, direct)):
            yield str(client.base_url).rstrip("/"), direct


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """In an event loop of its own: schemathesis is not async."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running()) as (url, direct):
        yield Service(url, direct, schemathesis.openapi.from_url(f"{url}/openapi.json"))


def test_every_operation_does_what_is_written(service: Service, tmp_path: Path) -> None:
    # As a command: pytest would build the examples already when it collects this file, and that takes seconds.
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    options = ["--generation-deterministic", "--max-examples", "30", "--no-color", "--workers", "1"]
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{service.url}/openapi.json", *options]
    done = subprocess.run(command, cwd=tmp_path, env={"NO_PROXY": "*"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[:20_000]


def test_the_description_has_every_endpoint_and_error(service: Service) -> None:
    paths = service.schema.raw_schema["paths"]
    assert set(paths) == {"/", "/healthz", "/readyz", "/metrics", "/api/feedback", *BODIES}
    assert set(paths["/api/feedback"]["post"]["responses"]) == {"200", "400", "403", "413", "422", "429"}
    for path in BODIES:
        assert set(paths[path]["post"]["responses"]) == {"200", "400", "413", "422", "429", "502", "503", "504"}


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (plain(b"x", 401), 502),
        (plain(b"x", 429, retry_after="60"), 429),
        (plain({"error": {"message": "free-models-per-day"}}, 429, retry_after="60"), 429),
        (plain(b"x", 500), 503),
        (plain(b"x", 504), 504),
        (plain({"choices": []}), 502),
    ],
)
@pytest.mark.parametrize("path", BODIES)
def test_errors_are_as_written(path: str, fault: Script, status: int, service: Service) -> None:
    service.direct.scripts = [fault]
    case = service.schema[path]["POST"].Case(body=BODIES[path] | {"user_id": OFF}, media_type="application/json")
    response = case.call(base_url=service.url)
    assert response.status_code == status
    case.validate_response(response, excluded_checks=[not_a_server_error])


def test_a_broken_streams_events_are_as_written(service: Service) -> None:
    service.direct.scripts = [stream(delta("Half"), cut=True)]
    body = BODIES["/api/chat"] | {"user_id": OFF, "stream": True}
    case = service.schema["/api/chat"]["POST"].Case(body=body, media_type="application/json")
    response = case.call_and_validate(base_url=service.url)
    assert "event: error" in response.text
