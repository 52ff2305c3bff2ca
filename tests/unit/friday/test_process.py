"""`python3 -m friday.service` as a process: its start, its end, and what it prints."""

import asyncio
import json
import signal
import socket
import time

import pytest

from tests.unit.friday.given import ENVIRONMENT, KEY
from tests.unit.friday.server import Service, command
from tests.unit.friday.upstream import Upstream, after, delta, good_answer, plain, stream

pytestmark = pytest.mark.anyio


def refused(**environ: str) -> str:
    process = command({**ENVIRONMENT, **environ})
    out, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert out == ""
    assert "Traceback" not in err
    return err


def test_a_wrong_environment_ends_with_2_and_one_message() -> None:
    err = refused(LITELLM_ROLLOUT_PERCENTAGE="101", JWT_SECRET="")
    assert "LITELLM_ROLLOUT_PERCENTAGE: expected an integer from 0 to 100, found '101'" in err
    assert "JWT_SECRET: expected the secret that signs sessions, found nothing; set JWT_SECRET=" in err


def test_a_port_in_use_ends_with_2() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"PORT: expected a free port, found 127.0.0.1:{port}" in refused(PORT=str(port))


async def test_running_answers_and_streams_survive_the_end(gateway: Upstream, direct: Upstream) -> None:
    gateway.scripts = [
        after(1.2, plain(good_answer("m", "Slow"))),
        stream(delta("a"), 1.2, delta("b", "stop"), "[DONE]"),
    ]
    async with Service(gateway, direct) as service:
        slow = asyncio.create_task(service.http.post("/api/chat", json={"user_id": 7, "message": "Hi"}))
        await gateway.asked()
        body = {"user_id": 7, "message": "Hi", "stream": True}
        async with service.http.stream("POST", "/api/chat", json=body) as streamed:
            service.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.2)
            assert (await service.http.get("/healthz")).status_code == 503
            late = await service.http.post("/api/chat", json={"user_id": 77, "message": "Hi"})
            assert late.status_code == 200, "the listener is still open while the edge looks away"
            text = (await streamed.aread()).decode()
        assert '"done":true' in text
        assert (await slow).json()["answer"] == "Slow"
        started = time.monotonic()
        out, _ = service.process.communicate(timeout=10)
        assert time.monotonic() - started < 3
        assert service.process.returncode == 0
    lines = [json.loads(line) for line in out.splitlines()]
    events = [line["event"] for line in lines]
    assert events[0] == "started"
    assert events[-1] == "stopped"
    assert events.count("llm_call") == 3
    assert KEY not in out


async def test_doubtful_settings_cause_a_warning(gateway: Upstream, direct: Upstream) -> None:
    async with Service(gateway, direct, ENABLE_LITELLM="TRUE", OPENROUTER_API_KEY="") as service:
        service.process.terminate()
        out, _ = service.process.communicate(timeout=10)
    warnings = {line["event"] for line in map(json.loads, out.splitlines()) if line["level"] == "warning"}
    assert warnings == {"no_direct_path", "litellm_is_off"}
