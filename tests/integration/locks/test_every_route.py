"""Every route that the installed LiteLLM's proxy has, but for those that the gateway serves: none exists here."""

import re
import time
from collections.abc import Iterator, Mapping

import httpx
import pytest

from gateway import policy
from testing.record import Record, Recorder
from tests.integration.edge.stage import Stage
from tests.integration.gateway_container import KEYS
from tests.integration.locks.closed import CHAT, PAID, Closed, Names

pytestmark = [pytest.mark.engine, pytest.mark.beside]
BODY = {**CHAT, "model": PAID}
ONE_MODEL = re.compile(r"(/v1)?/models/.+")


def asked(names: Names) -> list[tuple[str, str]]:
    """Return method and path of each route, with a word for each of its parameters."""
    assert len(names.routes) > 1000
    filled = {re.sub(r"\{[^}]*\}|\*", "x", route) for route in names.routes}
    return [(method, path) for method, _, path in (route.partition(" ") for route in sorted(filled))]


def served(method: str, path: str) -> bool:
    """Return whether it is one of ours, as the name of one model is too: that is compared with those that there are."""
    return policy.ROUTES.get(path, ("", None))[0] == method or (method == "GET" and bool(ONE_MODEL.fullmatch(path)))


def written(record: Recorder, what: str, answers: Mapping[str, int], wrong: list[str], begun: float) -> None:
    """Write the count down, and check that nothing was wrong."""
    refused = sum(status >= 400 for status in answers.values())
    seconds = time.monotonic() - begun
    record(Record(group="locks", name=what, tried=len(answers), failed=len(wrong), refused=refused, seconds=seconds))
    assert wrong == []


def test_no_route_of_litellms_is_served_by_the_gateway(network: Closed, names: Names, record: Recorder) -> None:
    begun = time.monotonic()
    inputs = [
        {
            "name": f"{key} {method} {path}",
            "method": method,
            "path": path,
            "headers": {"authorization": f"Bearer {KEYS[key]}"},
            "body": BODY if method != "GET" else None,
        }
        for method, path in asked(names)
        for key in ("gateway_key", "ops_key")
    ]
    found = network.over_http(inputs)
    wrong = [
        name for name, status in found.by_name.items() if status not in (404, 405) and not served(*name.split(" ")[1:])
    ]
    written(record, f"each route of LiteLLM {names.version}, at the gateway", found.by_name, wrong, begun)
    assert not [name for name, status in found.by_name.items() if status == 200 and "/models/" in name]
    found.cost_nothing()
    assert found.models == {}


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    made = Stage()
    try:
        made.start_edge()
        made.start_replica("litellm")
        made.until_up("litellm", 1)
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("port", ["host", "internal"])
def test_no_route_of_litellms_gets_past_the_edge(stage: Stage, names: Names, record: Recorder, port: str) -> None:
    """The edge alone: behind it is a replica that answers whatever comes."""
    begun = time.monotonic()
    answers = {}
    with httpx.Client(base_url=f"http://127.0.0.1:{stage.ports[port]}", timeout=20) as client:
        for method, path in asked(names):
            answers[f"{method} {path}"] = client.request(
                method, path, json=BODY if method != "GET" else None
            ).status_code
    passed = [name for name, status in answers.items() if status not in (404, 405)]
    wrong = [name for name in passed if not served(*name.split(" "))]
    written(record, f"each route of LiteLLM {names.version}, at the edge's port {port}", answers, wrong, begun)
    assert "POST /chat/completions" in passed
