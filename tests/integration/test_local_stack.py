"""The local stack end to end: both paths, every percentage, fallbacks, no-op, a broken change."""

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest
from docker.models.containers import Container

from testing.meanwhile import timed, until
from testing.project import USERS, Project
from testing.record import Record, Recorder
from tests.integration.load import Load

pytestmark = pytest.mark.engine

PER_SECOND = 20
STOCK_NAMES = [
    "glm-4.5-air-free",
    "gpt-oss-20b-free",
    "deepseek-chat-v3.1-free",
    "qwen3-coder-free",
    "minimax-m2-free",
    "kimi-k2-free",
    "gemma-3-27b-free",
    "openrouter/z-ai/glm-4.5-air:free",
    "openrouter/openai/gpt-oss-20b:free",
    "openrouter/deepseek/deepseek-chat-v3.1:free",
    "openrouter/qwen/qwen3-coder:free",
    "openrouter/minimax/minimax-m2:free",
    "openrouter/moonshotai/kimi-k2:free",
    "openrouter/google/gemma-3-27b-it:free",
]
# The stock client's own request, from inside the application's network and without Authorization.
STOCK_CALL = """
import json, sys, urllib.request
body = json.dumps({"model": "%s", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 32768}).encode()
request = urllib.request.Request("http://edge:4000/chat/completions", body, {"content-type": "application/json"})
print(json.load(urllib.request.urlopen(request, timeout=30))["choices"][0]["message"]["content"])
"""


@pytest.fixture(autouse=True)
def no_faults_left(project: Project) -> Iterator[None]:
    yield
    project.fault()


def expected_path(user: int, percentage: int) -> str:
    """The rule of Friday AI: `user_id % 100 < percentage`."""
    return "litellm" if user % 100 < percentage else "direct"


def test_up_again_changes_nothing(project: Project) -> None:
    before = {container.id for container in project.containers()}
    assert "nothing to change" in project.fridayctl("up", project.stack).out
    assert {container.id for container in project.containers()} == before
    project.pulumi("preview", "-s", project.stack, "--expect-no-changes")


def test_what_stays_on_this_machine_goes_past_a_proxy(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert "nothing to change" in project.fridayctl("up", project.stack).out
    project.pulumi("preview", "-s", project.stack, "--expect-no-changes")


@pytest.mark.parametrize("name", STOCK_NAMES)
def test_every_name_of_the_stock_client_is_answered(project: Project, name: str) -> None:
    assert project.python_in("friday", STOCK_CALL % name).strip()


def test_status_says_where_the_rollout_stands(project: Project) -> None:
    status = json.loads(project.fridayctl("status", project.stack, "--json").out)
    assert status["healthy"] is True
    assert status["deployed_percentage"] == 50
    running = [each["part"] for each in status["instances"]]
    once = ("alertmanager", "edge", "edge-ports", "prometheus", "redis", "redis-exporter", "simulator")
    assert Counter(running) == {"friday": 2, "litellm": 2, **dict.fromkeys(once, 1)}
    assert "50 % of users through LiteLLM, all healthy" in project.fridayctl("status", project.stack).out


def test_logs_name_their_container(project: Project) -> None:
    project.chat(0)
    lines = project.fridayctl("logs", project.stack, "friday", "--tail", "5").out.splitlines()
    assert lines
    assert all(re.match(r"friday-[12]-[0-9a-f]{8}-[0-9a-f]{7} \| ", line) for line in lines)


@pytest.mark.parametrize("percentage", [0, pytest.param(10, marks=pytest.mark.slow), 50, 100])
def test_a_percentage_is_honoured_and_loses_no_request(project: Project, record: Recorder, percentage: int) -> None:
    project.configure({"rolloutPercentage": percentage})
    began = time.monotonic()
    with Load(project, per_second=PER_SECOND, users=USERS) as load:
        took = timed(lambda: project.fridayctl("up", project.stack))
        time.sleep(1)
    record(
        Record(
            group="change",
            name=f"the percentage becomes {percentage} %, at {PER_SECOND} chats a second",
            tried=load.asked,
            failed=len(load.failures),
            seconds=time.monotonic() - began,
            figures={"the update, seconds": round(took, 1)},
        )
    )
    assert load.failures == []
    assert len(load.answers) > 10
    paths = {user: project.chat(user).path for user in USERS for _ in range(2)}
    assert paths == {user: expected_path(user, percentage) for user in USERS}
    status = json.loads(project.fridayctl("status", project.stack, "--json").out)
    assert status["deployed_percentage"] == percentage


def test_a_running_stream_is_finished_while_its_replica_is_replaced(project: Project) -> None:
    project.fault({"kind": "drip", "mode": "tokens", "interval_ms": 500})
    text: list[str] = []

    def read() -> None:
        body = {"user_id": 0, "message": "a long story please", "stream": True}
        with httpx.stream("POST", f"{project.url}/api/chat", json=body, timeout=60) as response:
            text.extend(response.iter_text())

    reader = threading.Thread(target=read)
    reader.start()
    time.sleep(1)
    project.configure({"rolloutPercentage": 50})
    project.fridayctl("up", project.stack)
    reader.join(timeout=60)
    assert "done" in "".join(text).lower()
    assert "error" not in "".join(text).lower()


def test_a_dead_first_model_is_replaced_by_the_next(project: Project) -> None:
    healthy = project.chat(0)
    project.fault({"model": healthy.model, "kind": "status", "status": 503})
    answer = project.chat(0)
    assert (answer.status, answer.path) == (200, "litellm")
    assert answer.model != healthy.model


def test_a_dead_gateway_replica_is_not_noticed(project: Project) -> None:
    victim = project.containers("litellm")[0]
    victim.kill()
    try:
        answers = [project.chat(0) for _ in range(20)]
        assert {answer.status for answer in answers} == {200}
        assert answers[-1].path == "litellm"
    finally:
        victim.start()
        wait_healthy(project)


def test_without_any_gateway_friday_goes_direct(project: Project) -> None:
    for victim in project.containers("litellm"):
        victim.kill()
    try:
        answers = [project.chat(0) for _ in range(10)]
        assert {(answer.status, answer.path) for answer in answers} == {(200, "fallback")}
    finally:
        for victim in project.containers("litellm"):
            victim.start()
        wait_healthy(project)
    until(lambda: project.chat(0).path == "litellm", "the circuit breaker should close by itself", 120)


def test_a_container_removed_by_hand_comes_back(project: Project) -> None:
    victim = project.containers("friday")[0]
    victim.remove(force=True, v=True)
    assert "not on the host any more" in project.fridayctl("up", project.stack).out
    assert len(project.containers("friday")) == 2


def test_a_broken_change_is_explained_and_the_previous_version_goes_on(project: Project) -> None:
    before = {container.id for container in project.containers()}
    broken = {**project.settings["friday"], "healthPath": "/no-such-page"}
    with project.configured(friday=broken):
        ran = project.fridayctl("up", project.stack, code=1)
    assert "friday-1-" in ran.text
    assert "probe | " in ran.text
    assert "404" in ran.text
    assert "log   | " in ran.text
    assert project.chat(0).status == 200
    assert before <= {container.id for container in project.containers()}
    project.fridayctl("up", project.stack)
    assert {container.id for container in project.containers("friday")} <= before
    assert len(project.containers("friday")) == 2


def test_nothing_was_ever_paid(project: Project) -> None:
    bill = httpx.get(f"{project.simulator_url}/admin/bill", timeout=20).json()
    assert bill["total_usd"] == 0
    asked = httpx.get(f"{project.simulator_url}/admin/requests", timeout=20).json()["by_model"]
    assert asked
    assert all(model.endswith(":free") for model in asked)


@pytest.mark.parametrize("path", ["/", "/openrouter/v1/key", "/config/update", "/metrics", "/v1/responses", "/ui/"])
def test_the_gateways_other_routes_end_at_the_edge(project: Project, path: str) -> None:
    assert httpx.get(f"{project.gateway_url}{path}", timeout=20).status_code == 404


def test_the_published_gateway_wants_the_key(project: Project) -> None:
    body = {"model": "gemma-4-31b", "messages": [{"role": "user", "content": "hi"}]}
    url = f"{project.gateway_url}/chat/completions"
    assert httpx.post(url, json=body, timeout=30).status_code == 401
    key = {"authorization": f"Bearer {project.secret('gatewayKey')}"}
    assert httpx.post(url, json=body, headers=key, timeout=30).status_code == 200
    assert httpx.get(f"{project.gateway_url}/health", timeout=20).status_code == 200


def wait_healthy(project: Project) -> None:
    until(lambda: all(is_healthy(each) for each in project.containers()), "healthy again", 120)


def is_healthy(container: Container) -> bool:
    return bool(container.attrs["State"].get("Health", {}).get("Status") == "healthy")
