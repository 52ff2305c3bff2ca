"""From a thumb at the edge, and an operator's entry, to what `feedback` shows and the gate on complaints judges."""

import json
from typing import Any

import httpx
import pytest

from testing.meanwhile import until
from testing.project import Project

pytestmark = pytest.mark.engine


def answered(project: Project, user_id: int) -> httpx.Response:
    body = {"user_id": user_id, "message": "Hi"}
    return httpx.post(f"{project.url}/api/chat", json=body, timeout=40).raise_for_status()


def rated(project: Project, token: str, rating: str) -> httpx.Response:
    return httpx.post(f"{project.url}/api/feedback", json={"token": token, "rating": rating}, timeout=20)


def shown(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(project.fridayctl("feedback", project.stack, "--json").out)
    return found


def ratings(found: dict[str, Any], rating: str) -> dict[str, int]:
    return {path: counts[rating] for path, counts in found["paths"].items()}


def verdict(project: Project) -> dict[str, Any]:
    gates = json.loads(project.fridayctl("status", project.stack, "--json").out)["gates"]
    found: dict[str, Any] = next(gate for gate in gates if gate["gate"] == "complaints")
    return found


def test_what_users_and_operators_say_reaches_the_gate(project: Project) -> None:
    before = shown(project)
    assert before["silent"] == ""
    tokens = {
        path: answered(project, user).headers["x-friday-feedback"] for user, path in ((0, "litellm"), (99, "direct"))
    }
    for token in tokens.values():
        assert rated(project, token, "down").json() == {"counted": True}
    forged = tokens["direct"].replace("direct", "litellm")
    assert (rated(project, forged, "down").status_code, rated(project, "x" * 2000, "down").status_code) == (403, 413)
    containers = {each.id for each in project.containers()}

    said = project.fridayctl(
        "feedback", project.stack, "--rating", "complaint", "--path", "litellm", "--count", "2", "--note", "by mail"
    ).out
    assert "feedback: 2 complaints on litellm: by mail" in said
    assert {each.id for each in project.containers()} == containers, "nothing that runs was changed"

    expected = {**ratings(before, "down")}
    expected["litellm"] += 1
    expected["direct"] += 1
    found: dict[str, Any] = {}

    def counted() -> bool:
        found.update(shown(project))
        return ratings(found, "down") == expected

    until(counted, lambda: f"down ratings should be {expected}: {found}", 60, every=1)
    assert found["paths"]["litellm"]["complaint"] == before["paths"]["litellm"]["complaint"] + 2
    assert found["entered"][0] | {"at": ""} == {
        "at": "",
        "path": "litellm",
        "rating": "complaint",
        "count": 2,
        "note": "by mail",
    }
    gate = verdict(project)
    assert gate["outcome"] == "inconclusive"
    assert gate["value"].startswith("nobody has signed; complained of: ")
    latest = json.loads(project.fridayctl("history", project.stack, "--last", "1", "--json").out)[0]
    assert (latest["verb"], latest["changes"]) == ("feedback", 0)
    assert "nothing to change" in project.fridayctl("up", project.stack).out
