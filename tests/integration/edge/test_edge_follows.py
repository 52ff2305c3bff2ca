"""One edge follows another behind the ports of the host, as for another image: nobody is refused, nothing is cut."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, cast

import pytest
from docker.models.containers import Container

from components import edge_ports
from ops.hosts import edge_runtime
from tests.integration.edge.stage import REPLICA_PORTS, Stage, echoed, post
from tests.integration.edge.test_edge_replacement import Load

pytestmark = pytest.mark.engine

NETWORKS = ["172.16.0.0/12", "192.168.0.0/16", "10.0.0.0/8"]
"""Those of which Docker takes the addresses by which a host's own callers are seen."""


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    try:
        yield stage
    finally:
        stage.close()


def populate(stage: Stage, **changes: object) -> Container:
    """Start two replicas of each part, the ports and an edge; return what has the ports."""
    for part in REPLICA_PORTS:
        for _ in range(2):
            stage.start_replica(part)
    ports = stage.start_ports(**changes)
    stage.follow()
    for part in REPLICA_PORTS:
        stage.until_up(part, 2)
    return ports


def more(stage: Stage, load: Load) -> None:
    """Wait for another second of answers."""
    seen = len(load.answers)
    stage.until(lambda: len(load.answers) > seen + 50)


def test_another_edge_refuses_nobody_and_cuts_nothing(stage: Stage) -> None:
    populate(stage)
    chats = [("users", "/api/chat"), ("internal", "/chat/completions"), ("host", "/chat/completions")]
    with ExitStack() as during:
        loads = [during.enter_context(Load(stage.ports[port], path)) for port, path in chats]
        for _ in range(3):
            old = stage.edge
            answers: list[str] = []
            stream = threading.Thread(
                target=lambda into=answers: into.append(stage.raw("users", post("/api/chat", '{"stream"}')))
            )
            stream.start()
            stage.until(lambda: stage.busy("friday"))
            stage.follow()
            old.stop(timeout=60)
            stream.join()
            assert answers[0].count("data: ") == 8
            assert answers[0].endswith("0\r\n\r\n")
            for load in loads:
                more(stage, load)
    assert [load.failures() for load in loads] == [[], [], []]
    assert stage.get("operations", "/metrics").startswith("HTTP/1.1 200")


def test_the_replicas_see_the_same_caller(stage: Stage) -> None:
    ports = populate(stage)
    seen = dict(echoed(stage.raw("users", post("/api/chat")))["headers"])
    gateway = ports.attrs["NetworkSettings"]["Networks"][stage.name]["Gateway"]
    assert seen["x-forwarded-for"] == gateway


def test_a_proxys_own_header_is_read_behind_that_of_the_ports(stage: Stage) -> None:
    populate(stage, trusted_proxies=NETWORKS, proxy_protocol=True)
    request = b"PROXY TCP4 203.0.113.9 203.0.113.1 4711 443\r\n" + post("/api/chat")
    assert dict(echoed(stage.raw("users", request))["headers"])["x-forwarded-for"] == "203.0.113.9"


def test_a_stranger_speaks_no_proxy_protocol_behind_the_ports_either(stage: Stage) -> None:
    populate(stage, trusted_proxies=["198.51.100.0/24"], proxy_protocol=True)
    request = b"PROXY TCP4 203.0.113.9 203.0.113.1 4711 443\r\n" + post("/api/chat")
    assert stage.raw("users", request).startswith("HTTP/1.1 400")
    assert stage.raw("users", post("/api/chat")).startswith("HTTP/1.1 200")


def test_it_matters_not_in_which_order_the_containers_come_back(stage: Stage) -> None:
    ports = populate(stage)
    for first, second in [(stage.edge, ports), (ports, stage.edge)]:
        for each in (ports, stage.edge):
            each.kill()
        first.start()
        second.start()
        stage.read_ports(ports)
        stage.until(lambda: stage.raw("users", post("/api/chat"), 30).startswith("HTTP/1.1 200"))


class Host:
    """A Docker host with one edge."""

    def __init__(self, edge: Container) -> None:
        self._edge = edge

    def run_in(self, stack: str, part: str, command: list[str], *, only: str = "") -> dict[str, str]:
        return {"edge": cast(bytes, self._edge.exec_run(command).output).decode()}


def test_one_that_leaves_is_asked_for_nothing_but_what_it_finishes(stage: Stage) -> None:
    populate(stage)
    host: Any = Host(stage.edge)
    answers: list[str] = []
    unfinished = post("/api/chat", "a body of which a part is missing")[:-9]
    asked = threading.Thread(target=lambda: answers.append(stage.raw("users", unfinished, 120)))
    asked.start()
    stage.until(lambda: stage.busy("friday"))
    addresses = [each["addr"].rpartition(":")[0] for each in stage.servers("friday")]
    assert edge_runtime.serving(host, "t", ["echo", "here"]) == {"edge": "here\n"}
    old = stage.edge
    stage.follow()
    old.kill("SIGUSR1")
    stage.until(lambda: not edge_runtime.serving(host, "t", ["true"]))
    at_work = edge_runtime.at_work(host, "t", addresses)["edge"]
    assert at_work.leaves
    (session,) = at_work.sessions
    assert session.backend == "friday"
    edge_runtime.end_sessions(host, "t", "edge", [session.id])
    asked.join()
    assert not answers[0].startswith("HTTP/1.1 200")


def test_what_one_that_was_killed_has_left_is_cleared_away(stage: Stage) -> None:
    """In a Swarm each task has another name: none would ever clear away its own."""
    populate(stage)
    left = f"{edge_ports.SOCKETS}/killed-long-ago"
    stage.edge.exec_run(["bash", "-c", f"mkdir {left} {left}-new && touch -d '2 hours ago' {left}"])
    stage.follow()
    stage.until(lambda: stage.edge.exec_run(["test", "-e", left]).exit_code == 1)
    assert stage.edge.exec_run(["test", "-e", f"{left}-new"]).exit_code == 0


def test_one_that_is_to_leave_before_its_follower_knows_a_replica_hands_over_all_the_same(stage: Stage) -> None:
    stage.start_replica("friday")  # no gateway: the follower would wait for one
    stage.start_ports()
    old = stage.follow()
    with Load(stage.ports["users"], "/api/chat") as load:
        stage.until_up("friday", 1)
        more(stage, load)
        follower = threading.Thread(target=stage.follow)
        follower.start()
        follower.join()
        old.stop(timeout=60)
        more(stage, load)
    assert not load.failures()


def test_the_one_before_serves_again_when_its_follower_is_killed(stage: Stage) -> None:
    populate(stage)
    old = stage.edge
    stage.follow().kill()
    stage.until(lambda: stage.is_current(old))
    assert stage.raw("users", post("/api/chat"), 30).startswith("HTTP/1.1 200")


def test_an_edge_alone_does_not_wait_for_kept_connections(stage: Stage) -> None:
    populate(stage)
    with Load(stage.ports["users"], "/api/chat") as load:
        more(stage, load)
    stage.edge.stop(timeout=60)
    stage.edge.reload()
    assert stage.edge.attrs["State"]["ExitCode"] != 137
