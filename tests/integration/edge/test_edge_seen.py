"""What is read off a real edge: its servers, its answers when it is asked inside, and its counters."""

import json
import re
from typing import Any, cast

import pytest

from ops.checks import edges
from ops.hosts.edge_servers import edge_servers
from tests.integration.edge.stage import KEY, Stage
from tests.unit.given import settings

pytestmark = pytest.mark.engine


class Host:
    """The stage's edge as the only one of a Docker host."""

    def __init__(self, stage: Stage) -> None:
        self._edge = stage.edge

    def run_in(self, stack: str, part: str, command: list[str]) -> dict[str, str]:
        return {"edge": cast(bytes, self._edge.exec_run(command).output).decode()}


def hosts(stage: Stage) -> Any:
    return {"here": Host(stage)}


def counted(stage: Stage, level: str, proxy: str, code: str = "5xx") -> int:
    """Return how many answers of a class HAProxy has counted at a level for a proxy."""
    pattern = rf'haproxy_{level}_http_responses_total{{proxy="{proxy}"(?:,server="\w+")?,code="{code}"}} (\d+)'
    return sum(map(int, re.findall(pattern, stage.get("operations", "/metrics"))))


def test_a_replica_that_refuses_its_check_is_seen_by_its_address(stage: Stage) -> None:
    leaving = stage.start_replica("friday", DRAIN_SECONDS="60")
    stage.until_up("friday", 3)
    leaving.kill("SIGTERM")
    stage.until(lambda: stage.up("friday") == 2)
    leaving.reload()
    address = leaving.attrs["NetworkSettings"]["Networks"][stage.name]["IPAddress"]
    (found,) = edge_servers(hosts(stage), "t").values()
    assert found is not None
    assert len([each for each in found if each.part == "friday" and each.gets_requests]) == 2
    (refusing,) = [each for each in found if not each.gets_requests]
    assert (refusing.address, refusing.words) == (address, "answers its check with 503")


def test_an_edge_is_asked_with_its_own_key_which_only_the_gateway_gets(shared_stage: Stage) -> None:
    (seen,) = edges.require_serving("t", hosts(shared_stage), settings(rolloutPercentage=50))
    asked = json.loads(seen.answers[edges.GATEWAY][-1])
    assert (asked["target"], dict(asked["headers"])["authorization"]) == ("/health/summary", f"Bearer {KEY}")
    assert not any(KEY in line for line in seen.answers[edges.FRIDAY])


def test_what_the_edge_itself_answers_is_told_from_what_a_replica_does(stage: Stage) -> None:
    stage.get("users", "/status/500")
    stage.until(lambda: counted(stage, "backend", "friday") == 1)
    assert counted(stage, "server", "friday") == 1
    for replica in stage.replicas("friday"):
        replica.kill()
    assert stage.get("users", "/").startswith("HTTP/1.1 503")
    stage.until(lambda: counted(stage, "frontend", "users") == counted(stage, "backend", "friday") == 2)
    assert counted(stage, "server", "friday") == 1


def test_chats_are_counted_apart_from_pages(stage: Stage) -> None:
    stage.edge.remove(force=True)
    stage.containers.remove(stage.edge)
    stage.start_edge(friday_chat_paths=("/api/chat", "/api/trpc/chat"))
    stage.until_up("friday", 2)
    asked = ["/api/trpc/chat.sendMessage?batch=1", "/", "/api/chat", "/app.js", "/api/user"]
    answers = {path: stage.get("users", path) for path in asked}
    assert all(f'"target": "{path}"' in answer for path, answer in answers.items())
    stage.until(lambda: counted(stage, "frontend", "users", "2xx") == len(asked))
    assert counted(stage, "frontend", "chats", "2xx") == 2
    headers = dict(json.loads(answers["/api/chat"].split("\r\n\r\n", 1)[1])["headers"])
    assert {"x-forwarded-for", "x-request-id"} <= headers.keys()
