"""The real Friday AI's client of the gateway, played from where Friday is: its manners, its limits, its patience."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from friday.llm.constants import STOCK_MODELS
from testing import stock_image
from testing.meanwhile import until
from testing.project import ROOT, Project

pytestmark = pytest.mark.engine

CLIENT = (ROOT / "tests" / "stock_friday" / "client.mjs").read_text(encoding="utf-8")
HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "Hej, what is a lease?"}]}
GIVES_UP_MS = 30_000
LEADS = {
    "type": "function",
    "function": {
        "name": "list_leads",
        "description": "Lists leads",
        "parameters": {"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"]},
    },
}


@pytest.fixture(scope="module")
def image() -> str:
    return stock_image.ensure()


@pytest.fixture
def simulator(project: Project) -> Iterator[httpx.Client]:
    """The simulator's operator API, reset before and after."""
    with httpx.Client(base_url=project.simulator_url, timeout=10) as http:
        http.post("/admin/reset").raise_for_status()
        yield http
        http.post("/admin/reset").raise_for_status()


def run(project: Project, image: str, *calls: dict[str, Any]) -> dict[str, Any]:
    """Let the client make the calls from the network of Friday; return what it prints."""
    printed = project.engine.containers.run(
        image,
        ["node", "--input-type=module", "-e", CLIENT, "--", json.dumps(calls)],
        environment={"LITELLM_BASE_URL": "http://edge:4000"},
        network=f"friday-{project.stack}-app",
        remove=True,
    )
    found: dict[str, Any] = json.loads(printed)
    return found


def make_healthy(project: Project, image: str, simulator: httpx.Client) -> None:
    """End the faults, and wait until no model rests: other tests use the stack too."""
    simulator.delete("/admin/faults").raise_for_status()
    until(lambda: "content" in run(project, image, HELLO)["answers"][0], "the models are asked again", every=1)


def test_its_calls_are_answered_by_every_name_that_it_knows(
    project: Project, image: str, simulator: httpx.Client
) -> None:
    names = [*STOCK_MODELS.values(), None]
    found = run(project, image, *(HELLO | ({"model": name} if name else {}) for name in names))
    assert found["healthy"] is True
    assert found["most"] == 2
    assert [answer["finish_reason"] for answer in found["answers"]] == ["stop"] * len(names)
    assert all(answer["content"].startswith("Simulated answer") for answer in found["answers"])


@pytest.mark.parametrize("choice", ["auto", "required", {"name": "list_leads"}], ids=str)
def test_its_tools_are_called(
    project: Project, image: str, simulator: httpx.Client, choice: str | dict[str, str]
) -> None:
    (answer,) = run(project, image, HELLO | {"tools": [LEADS], "toolChoice": choice})["answers"]
    if choice == "auto":
        assert answer["content"]
    else:
        assert [call["function"]["name"] for call in answer["tool_calls"]] == ["list_leads"]


@pytest.mark.slow
def test_it_gets_an_answer_of_ours_before_it_gives_up(project: Project, image: str, simulator: httpx.Client) -> None:
    """Comments for a minute from every model: silence would end the client with an error of its own."""
    simulator.put("/admin/faults", json=[{"kind": "slow_first_token", "ms": 60_000}]).raise_for_status()
    (answer,) = run(project, image, HELLO)["answers"]
    assert answer["status"] == 504
    assert json.loads(answer["text"])["error"]["code"] == "upstream_timeout"
    assert answer["ms"] < GIVES_UP_MS
    make_healthy(project, image, simulator)


def test_a_busy_gateway_is_asked_three_times(project: Project, image: str, simulator: httpx.Client) -> None:
    # A wait of a second, so that no model rests for longer than this test.
    busy = {"kind": "status", "status": 429, "retry_after": 1, "raw": "PRIVATE words of the upstream"}
    simulator.put("/admin/faults", json=[busy]).raise_for_status()
    (answer,) = run(project, image, HELLO)["answers"]
    assert (answer["tries"], answer["status"]) == (3, 429)
    assert "PRIVATE" not in answer["text"]
    make_healthy(project, image, simulator)


def test_a_model_that_thinks_is_waited_for(project: Project, image: str, simulator: httpx.Client) -> None:
    simulator.put("/admin/faults", json=[{"kind": "thinking", "ms": 3_000}]).raise_for_status()
    (answer,) = run(project, image, HELLO)["answers"]
    assert answer["content"].startswith("Simulated answer")
