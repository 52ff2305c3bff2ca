"""What edges say of the replicas behind them: after an update, after one that failed, and in `status`."""

from typing import Any

import pytest

from ops.checks import answers, edges
from ops.checks.edges import FRIDAY, GATEWAY, Seen
from ops.errors import OperationError
from ops.hosts.docker_host import Instance
from ops.hosts.edge_servers import edge_servers
from tests.unit.given import LOCAL, settings
from tests.unit.ops.deployed import Played

HEADER = "# pxname,svname,status,check_status,check_code,addr,\n"
OK = "L7OK,200"
OWN = {**LOCAL["friday"], "image": "registry.example/friday:1", "healthPath": "/"}
SUMMARY = '{"healthy_count": 5, "unhealthy_count": 2}'


def row(name: str, status: str, check: str, address: str) -> str:
    return f"{name.rstrip('0123456789')},{name},{status},{check},{address}:3000,\n"


UP = HEADER + row("friday1", "UP", OK, "10.0.0.1") + row("friday2", "UP", f"* {OK}", "10.0.0.2")
EMPTY_SLOT = "friday,friday3,MAINT (resolution),,,,\n"
OTHER_PARTS = "gateway_switch,open,no check,,,127.0.0.1:8404,\n"
REFUSES = HEADER + row("friday1", "NOLB", "L7OKC,429", "10.0.0.1")


class Host:
    """A Docker host with one edge that prints a text of its servers, and answers each other question with 200."""

    def __init__(self, printed: str | None) -> None:
        self.printed = printed

    def run_in(self, stack: str, part: str, command: list[str]) -> dict[str, str]:
        assert (stack, part) == ("t", "edge")
        if self.printed is None:
            return {}
        if "show stat" not in command[-1]:
            answers = ["HTTP/1.1 200 OK\tRateLimit-Policy: 100;w=900\t", f"HTTP/1.1 200 OK\tX: y\t{SUMMARY}"]
            return {"edge-1": "\n".join(answers[: len(command) - 8]) + "\n"}
        return {"edge-1": self.printed}


def replica(address: str = "10.0.0.1", *, health: str = "healthy", age: float = 60, part: str = "friday") -> Instance:
    return Instance(f"friday-t-{part}-1", part, "i:1", "running", health, age, (address,))


def behind(printed: str) -> dict[str, Any]:
    return edge_servers({"unix:///s": Host(printed)}, "t")  # type: ignore[dict-item]


def played(printed: str | None, told: list[str], **changes: Any) -> Played:
    host = Host(printed)
    manager = type("Manager", (), {"instances": lambda *_: [replica(age=1)]})()
    deployment = Played(lambda: settings(**changes), lambda label, text: told.append(f"{label}: {text}"))
    return deployment.with_hosts(manager, {} if printed is None else {"unix:///s": host})


def test_only_slots_of_the_parts_with_an_address_are_servers() -> None:
    (found,) = behind(UP + EMPTY_SLOT + OTHER_PARTS).values()
    assert [(each.part, each.address, each.gets_requests) for each in found] == [
        ("friday", "10.0.0.1", True),
        ("friday", "10.0.0.2", True),
    ]
    assert behind("Permission denied\n") == {"edge-1 on unix:///s": None}


def test_an_edge_that_leaves_is_asked_for_nothing() -> None:
    """What it knows of the replicas is old, and another one has its place."""
    assert behind("leaving") == {}


@pytest.mark.parametrize(
    ("printed", "words"),
    [
        (UP, []),
        (REFUSES, ["edge-1 on unix:///s: leaves friday-t-friday-1 out, which answers its check with 429"]),
        (
            HEADER + row("friday1", "DOWN", "L4TOUT,", "10.0.0.1"),
            ["edge-1 on unix:///s: leaves friday-t-friday-1 out, which does not answer its check (L4TOUT)"],
        ),
        (
            HEADER + row("friday1", "DRAIN", OK, "10.0.0.1"),
            ["edge-1 on unix:///s: leaves friday-t-friday-1 out, which is being drained"],
        ),
        (HEADER, ["edge-1 on unix:///s: leaves friday-t-friday-1 out, which it does not find by its name"]),
        ("starting", []),
    ],
)
def test_a_healthy_replica_that_an_edge_leaves_out_is_named(printed: str, words: list[str]) -> None:
    others = [replica(health="unhealthy"), replica(age=1), replica(part="redis")]
    assert edges.left_out(behind(printed), [replica(), *others]) == words


@pytest.mark.parametrize(
    ("printed", "words"),
    [
        (UP, "edge-1 on unix:///s: it goes on serving users, with 2 replicas of Friday"),
        (REFUSES, "edge-1 on unix:///s: it has no healthy replica of Friday, and sends users to one that answers"),
        (HEADER, "edge-1 on unix:///s: it has no replica of Friday: no user is served there"),
        ("starting", "edge-1 on unix:///s: it does not say whether users are served"),
        (None, "no edge runs: no user is served"),
    ],
)
def test_after_a_failed_update_only_what_an_edge_shows_is_said(printed: str | None, words: str) -> None:
    assert edges.still_serving(played(printed, [])).startswith(words)


def test_a_host_that_is_lost_after_a_failed_update_leaves_it_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object) -> None:
        raise OperationError("connection lost: ssh://h", "look")

    monkeypatch.setattr(Host, "run_in", lost)
    assert edges.still_serving(played(UP, [])) == "whether users are served is not known: connection lost: ssh://h"


@pytest.mark.parametrize(
    ("percentage", "words"),
    [
        (0, ""),
        (50, ", 0 of 2 replicas of the gateway, 5 of 7 models can answer"),
    ],
)
def test_an_image_without_such_a_chat_is_asked_for_its_health_path(percentage: int, words: str) -> None:
    told: list[str] = []
    deployment = played(UP, told, friday=OWN, rolloutPercentage=percentage)
    assert answers.ask_around(answers.Friday("http://127.0.0.1:1", None), deployment, percentage) == []
    assert told[:2] == [
        "checked: what users need is healthy",
        "checked: edge-1 on unix:///s: GET / answered 200 through it, it sends users to 2 of 2 replicas of Friday"
        + words,
    ]
    obeys = "next: whether Friday obeys the 50 % is seen once users ask; ./fridayctl status t shows it"
    assert told[2:] == ([obeys] if percentage else [])


def test_what_another_commit_deployed_is_not_asked_by_todays_settings() -> None:
    told: list[str] = []
    deployment = played(UP, told, friday=OWN)
    answers.ask_around(answers.Friday("http://127.0.0.1:1", None, as_set=False), deployment, 0)
    assert told == ["checked: what users need is healthy"]


@pytest.mark.parametrize("body", ["I'm alive!", "{}", ""])
def test_a_gateway_that_says_nothing_of_its_models_is_not_quoted(body: str) -> None:
    told: list[str] = []
    deployment = played(UP, told, rolloutPercentage=50)
    seen = Seen("edge-1 on unix:///s", {FRIDAY: ("HTTP/1.1 200 OK",), GATEWAY: ("HTTP/1.1 200 OK", body)})
    edges.report_seen(deployment, {}, [seen])
    assert told == ["checked: edge-1 on unix:///s: GET /healthz answered 200 through it"]


def test_after_an_update_a_limit_and_what_is_left_out_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edges, "_CHECKS_SECONDS", 0.0)
    told: list[str] = []
    deployment = played(REFUSES, told, friday=OWN)
    hosts = deployment.hosts.answering(lambda _: None)
    edges.warn(deployment, hosts, edges.require_serving("t", hosts, deployment.settings))
    assert [line.split(":")[0] for line in told] == ["warning", "warning"]
    assert "leaves friday-t-friday-1 out" in told[0]
    assert "GET / says that it is limited" in told[1]
