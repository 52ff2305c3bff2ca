"""The fast switch, an edge without replicas, and what the edge writes down."""

import json
import shutil
import subprocess
import threading

import pytest

from components.edge import (
    CLOSE_GATEWAY,
    LIMIT_BODY,
    OPEN_GATEWAY,
    SHOW_GATEWAY,
    TEMPLATES,
    EdgeConfig,
    gateway_is_open,
)
from components.workload import FILES_DIR
from images import tags
from tests.integration.edge.stage import KEY, Stage, post

pytestmark = pytest.mark.engine


def test_closing_refuses_new_requests_and_finishes_running_ones(stage: Stage) -> None:
    answers: list[str] = []
    running = threading.Thread(
        target=lambda: answers.append(stage.raw("internal", post("/chat/completions", '{"stream"}')))
    )
    running.start()
    stage.until(lambda: stage.busy("litellm"))

    stage.runtime(CLOSE_GATEWAY)
    assert not gateway_is_open(stage.runtime(SHOW_GATEWAY))
    for port in ("internal", "host"):
        refused = stage.raw(port, post("/chat/completions"))
        assert refused.startswith("HTTP/1.1 503")
        assert json.loads(refused.split("\r\n\r\n", 1)[1])["error"]["type"] == "gateway_closed"
    assert stage.get("internal", "/health").startswith("HTTP/1.1 503")
    assert stage.get("users", "/").startswith("HTTP/1.1 200")

    running.join()
    assert answers[0].count("data: ") == 8

    stage.runtime(OPEN_GATEWAY)
    assert gateway_is_open(stage.runtime(SHOW_GATEWAY))
    assert stage.raw("internal", post("/chat/completions")).startswith("HTTP/1.1 200")


def test_starts_without_replicas_and_says_so() -> None:
    stage = Stage()
    try:
        stage.start_edge(gateway_open=True)
        for port, request in (("users", post("/api/chat")), ("internal", post("/chat/completions"))):
            answer = stage.raw(port, request)
            assert answer.startswith("HTTP/1.1 503")
            assert json.loads(answer.split("\r\n\r\n", 1)[1])["error"]["message"] == "No replica is available."
        stage.start_replica("litellm")
        stage.until_up("litellm", 1)
        assert stage.raw("internal", post("/chat/completions")).startswith("HTTP/1.1 200")
    finally:
        stage.close()


def test_may_start_closed() -> None:
    stage = Stage()
    try:
        stage.start_edge(gateway_open=False)
        assert not gateway_is_open(stage.runtime(SHOW_GATEWAY))
    finally:
        stage.close()


def test_log_lines_are_json_without_secrets(shared_stage: Stage) -> None:
    secret = "Bearer sk-callers-own-secret"
    request = post('/chat/completions?q="secret-query', '{"secret-prompt": 1}', f"Authorization: {secret}")
    shared_stage.raw("internal", request)
    shared_stage.get("internal", '/weird"path\\')
    # The engine writes a container's lines down a moment after the edge has sent its answer.
    shared_stage.until(lambda: r"/weird" in shared_stage.edge.logs().decode())
    log = shared_stage.edge.logs().decode()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert any(line["path"] == "/chat/completions" and line["status"] == 200 for line in lines)
    assert all(isinstance(line["ms_total"], int) for line in lines)
    for word in (secret, KEY, "secret-query", "secret-prompt"):
        assert word not in log


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"gateway_open": False},
        {"friday_replicas": 0, "litellm_replicas": 0},
        {"litellm_replicas": 20},
    ],
)
def test_haproxy_accepts_the_config_without_a_warning(changes: dict[str, object]) -> None:
    values = {"friday_replicas": 2, "litellm_replicas": 2, "edge_key": KEY, **changes}
    docker = shutil.which("docker")
    assert docker
    result = subprocess.run(
        [
            *(docker, "run", "--rm", "--interactive", "--network=none", "--read-only", "--user=10001:10001"),
            f"--volume={TEMPLATES / LIMIT_BODY}:{FILES_DIR}/{LIMIT_BODY}:ro",
            *(tags.tag("edge"), "haproxy", "-c", "-V", "-f", "/dev/stdin"),
        ],
        input=EdgeConfig.model_validate(values).render(),
        capture_output=True,
        text=True,
        check=False,
    )
    output = result.stdout + result.stderr
    assert result.returncode == 0, output
    assert "WARNING" not in output
