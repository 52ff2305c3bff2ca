"""A rollout on a real stack: promoted when the gates pass, stopped by exactly the gate that a fault concerns.

Each fault takes minutes of real traffic here, so these are slow tests; test_gates.py asks the same of prepared metrics.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from testing.meanwhile import until
from testing.project import Project
from tests.integration.load import Load
from tests.integration.rollout_stack import rollout_stack

pytestmark = pytest.mark.engine

PER_SECOND = 10
SECONDS = 150
"""How long a test waits for the gates."""
DIRECT_MODEL = "google/gemma-4-26b-a4b-it:free"
CLOSE, OPEN = "set server gateway_switch/open state maint", "set server gateway_switch/open state ready"


@pytest.fixture(scope="module")
def rollout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Bring up a stack of its own at 50 %, whose gates look back seconds instead of days."""
    folder = Path(tmp_path_factory.mktemp("project"))
    limits = {"p50Seconds": 2, "p95Seconds": 20, "p99Seconds": 30}
    with rollout_stack(folder, steps=(50, 60, 100), latency=limits) as made:
        yield made


@pytest.fixture
def load(rollout: Project) -> Iterator[Load]:
    """Let users of both paths ask, and leave no fault behind."""
    try:
        with Load(rollout, PER_SECOND, users=(7, 99), seconds=600) as asking:
            yield asking
    finally:
        httpx.post(f"{rollout.simulator_url}/admin/reset", timeout=10).raise_for_status()


def gates(project: Project) -> dict[str, dict[str, Any]]:
    document = json.loads(project.fridayctl("status", project.stack, "--json").out)
    return {each["gate"]: each for each in document["gates"]}


def only_this_fails(project: Project, gate: str) -> None:
    """Wait until this gate fails and no other: what was measured before the fault has to leave the window first."""
    found: dict[str, dict[str, Any]] = {}

    def reached() -> bool:
        found.update(gates(project))
        return {name for name, each in found.items() if each["outcome"] == "fail"} == {gate}

    until(reached, lambda: f"{gate} should fail alone: {json.dumps(found, indent=1)}", SECONDS, every=1)


def sound(project: Project) -> bool:
    """Tell whether every gate has enough calls and passes; only the signature is missing."""
    return {name for name, gate in gates(project).items() if gate["outcome"] != "pass"} == {"complaints"}


def soaked(project: Project) -> bool:
    """Tell whether the present step has soaked long enough."""
    step = json.loads(project.fridayctl("status", project.stack, "--json").out)["step"]
    return bool(step["soak_left_seconds"] == 0)


def promote(project: Project, *arguments: str, code: int = 0) -> dict[str, Any]:
    """Promote unasked and return what it says."""
    ran = project.fridayctl("promote", project.stack, "--yes", "--json", *arguments, code=code)
    assert ran.out, f"it ended without a result:\n{ran.err}"
    document: dict[str, Any] = json.loads(ran.out)
    return document


def first_model(project: Project) -> str:
    """Return the id of the model that the gateway asks first."""
    return project.chat(7).model


def the_gateways_models(project: Project) -> list[str]:
    """Return the ids of all models but the direct path's."""
    models = httpx.get(f"{project.simulator_url}/admin/models", timeout=10).json()
    return [model["id"] for model in models if model["id"] != DIRECT_MODEL]


def slow(project: Project, _: Load) -> None:
    how = {"kind": "latency", "distribution": {"kind": "fixed", "ms": 3000}}
    project.fault(*({**how, "model": model} for model in the_gateways_models(project)))


def a_model_fails(project: Project, _: Load) -> None:
    project.fault({"kind": "status", "status": 503, "model": first_model(project)})


def a_model_is_rate_limited(project: Project, _: Load) -> None:
    project.fault({"kind": "status", "status": 429, "retry_after": 20, "model": first_model(project)})


def the_key_is_used_for_a_paid_model(project: Project, _: Load) -> None:
    """Neither path would do that: only OpenRouter knows of it."""
    key = json.loads((project.root / ".state" / "secrets.json").read_text())["openrouterApiKey"]
    body = {"model": "z-ai/glm-4.5-air", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 100}
    url, headers = f"{project.simulator_url}/api/v1/chat/completions", {"authorization": f"Bearer {key}"}
    assert httpx.post(url, json=body, headers=headers, timeout=30).json()["usage"]["cost"] > 0


def the_gateway_is_closed(project: Project, _: Load) -> None:
    switch(project, CLOSE)


def answers_break_off(project: Project, load: Load) -> None:
    """Let the gateway's streams end in the middle, where no fallback can help; the direct path's model is sound."""
    load.fields = {"stream": True}
    project.fault(*({"kind": "cut", "model": model} for model in the_gateways_models(project)))


def switch(project: Project, command: str) -> None:
    line = f"echo '{command}' | socat -t5 - UNIX-CONNECT:/tmp/haproxy.sock"
    assert project.containers("edge")[0].exec_run(["bash", "-c", line]).exit_code == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cause", "gate"),
    [
        (slow, "latency"),
        (the_key_is_used_for_a_paid_model, "cost"),
        (the_gateway_is_closed, "fallbacks"),
        (answers_break_off, "errors"),
    ],
)
def test_a_fault_stops_exactly_its_gate(
    rollout: Project, load: Load, cause: Callable[[Project, Load], None], gate: str
) -> None:
    until(lambda: sound(rollout), "every gate passes", SECONDS, every=1)
    try:
        cause(rollout, load)
        only_this_fails(rollout, gate)
        if gate == "latency":
            refused = promote(rollout, "--no-complaints", "anna", code=1)
            assert refused["result"] == "refused"
            assert gate in [each["gate"] for each in refused["gates"] if each["outcome"] == "fail"]
    finally:
        switch(rollout, OPEN)


@pytest.mark.slow
@pytest.mark.parametrize("cause", [a_model_fails, a_model_is_rate_limited])
def test_a_model_that_users_do_not_miss_is_shown_and_stops_nothing(
    rollout: Project, load: Load, cause: Callable[[Project, Load], None]
) -> None:
    until(lambda: sound(rollout), "every gate passes", SECONDS, every=1)
    cause(rollout, load)
    found = {"value": ""}

    def shown() -> bool:
        found.update(gates(rollout)["providers"])
        return found["outcome"] == "pass" and "no user noticed" in found["value"]

    until(shown, lambda: f"the model should be shown as one that nobody misses: {found}", SECONDS, every=1)


@pytest.mark.slow
@pytest.mark.usefixtures("load")
def test_models_that_are_slow_on_both_paths_stop_nothing(rollout: Project) -> None:
    until(lambda: sound(rollout), "every gate passes", SECONDS, every=1)
    rollout.fault({"kind": "latency", "distribution": {"kind": "fixed", "ms": 2500}})
    target, found = rollout.settings["gates"]["latency"]["p50Seconds"], {"value": ""}

    def both_slow() -> bool:
        """Tell whether both medians are above the target of the first."""
        found.update(gates(rollout)["latency"])
        medians = re.findall(r"p50 ([\d.]+) s", found["value"])
        return len(medians) == 2 and all(float(median) > target for median in medians)

    until(both_slow, lambda: f"both paths should be slow: {found}", SECONDS, every=1)
    until(lambda: sound(rollout), "every gate passes", SECONDS, every=1)


@pytest.mark.slow
def test_a_step_beyond_the_quota_is_refused_with_the_arithmetic(rollout: Project, load: Load) -> None:
    until(lambda: sound(rollout), "every gate passes", SECONDS, every=1)
    found: dict[str, Any] = {}

    def refused() -> bool:
        measured = float(re.findall(r"minute ([\d.,]+) x", gates(rollout)["quota"]["value"])[0].replace(",", ""))
        # Enough for the gateway's users. The others ask as often, and have the same account's limits.
        limit = int(measured * 1.1 / 0.9)
        with rollout.configured(quota={"requestsPerMinute": limit, "requestsPerDay": 1_000_000}):
            found.update(gates(rollout)["quota"])
        sums = re.search(r"x 60/50 \+ [\d.,]+ x 40/50 = ", found["value"])
        return found["outcome"] == "fail" and bool(sums) and "cannot afford even the present 50 %" in found["cause"]

    until(refused, lambda: f"a step beyond the quota should be refused: {found}", 60, every=1)


def test_a_step_out_of_order_a_pause_and_a_missing_reason_are_refused(rollout: Project) -> None:
    name = rollout.stack
    assert "out of order" in rollout.fridayctl("promote", name, "--yes", "--to", "100", code=2).err
    assert "not above the present 50 %" in rollout.fridayctl("promote", name, "--yes", "--to", "50", code=2).err
    rollout.fridayctl("pause", name, "--reason", "holidays")
    assert "paused" in rollout.fridayctl("promote", name, "--yes", code=2).err
    assert "paused already" in rollout.fridayctl("pause", name, "--reason", "again", code=2).err
    assert "paused (pause: 50 %: holidays)" in rollout.fridayctl("status", name).out
    rollout.fridayctl("resume", name)
    assert "not paused" in rollout.fridayctl("resume", name, code=2).err
    verbs = [each["verb"] for each in json.loads(rollout.fridayctl("history", name, "--json").out)]
    assert verbs[:3] == ["resume", "pause", "up"]


def test_without_metrics_nothing_is_promoted(rollout: Project) -> None:
    until(lambda: soaked(rollout), "the step has soaked", SECONDS, every=1)
    prometheus = rollout.containers("prometheus")[0]
    prometheus.stop()
    try:
        ran = rollout.fridayctl("promote", rollout.stack, "--yes", "--dry-run", "--no-complaints", "anna", code=3)
        assert "does not answer" in ran.out
    finally:
        prometheus.start()
        until(lambda: prometheus_is_back(rollout), "Prometheus is back", SECONDS, every=1)


def prometheus_is_back(project: Project) -> bool:
    """Tell whether it is healthy: until then `status` calls the stack not well."""
    [container] = project.containers("prometheus")
    return bool(container.attrs["State"]["Health"]["Status"] == "healthy")


def test_a_step_is_promoted_and_taken_back_when_its_watch_sees_it_fail(rollout: Project, load: Load) -> None:
    until(lambda: sound(rollout), "every gate passes", SECONDS, every=1)
    done = promote(rollout, "--no-complaints", "anna", "--reason", "all is well")
    assert (done["result"], done["from"], done["to"]) == ("promoted", 50, 60)
    assert done["preview"][-1].startswith("expected gap: none for requests that end within 60 s")
    assert rollout.chat(59).path == "litellm"
    assert load.failures == []

    with rollout.configured(rollout={**rollout.settings["rollout"], "soakHours": 1}):
        early = rollout.fridayctl("promote", rollout.stack, "--yes", code=2)
    assert "the soak is not over" in early.err
    until(lambda: sound(rollout), "every gate passes", SECONDS, every=1)
    rollout.configure({"rollout": {**rollout.settings["rollout"], "watchSeconds": 120}})
    rollout.file.write_text(f"# kept by every command\n{rollout.file.read_text()}")
    breaking = threading.Thread(target=slow_once_all_are_on_it, args=(rollout, load))
    breaking.start()
    until(lambda: soaked(rollout), "the step has soaked", SECONDS, every=1)
    back = promote(rollout, "--no-complaints", "anna", code=1)
    breaking.join()
    assert (back["result"], back["to"]) == ("aborted", 100)
    assert [each["gate"] for each in back["watch"] if each["outcome"] == "fail"] == ["latency"]
    assert back["message"].startswith("abort: 100 -> 60 % to the update of ")
    entries = json.loads(rollout.fridayctl("history", rollout.stack, "--json").out)
    assert [(each["verb"], each["percentage"]) for each in entries[:3]] == [
        ("abort", 60),
        ("promote", 100),
        ("promote", 60),
    ]
    assert entries[2]["message"].endswith("no complaints (anna): all is well")
    assert rollout.chat(99).path == "direct"
    assert rollout.settings["rolloutPercentage"] == "60"
    assert "# kept by every command" in rollout.file.read_text()


def slow_once_all_are_on_it(project: Project, load: Load) -> None:
    """Make every model slow as soon as the last of the users is on the gateway."""
    until(lambda: project.chat(99).path == "litellm", "user 99 is on the gateway", SECONDS, every=1)
    slow(project, load)
