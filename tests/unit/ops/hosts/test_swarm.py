"""How a stack in a Swarm is, read from services and tasks: what is well, what is on its way, and what is told."""

from types import SimpleNamespace
from typing import Any

import pytest

from components.swarm_service import instance_of, seen_digest, seen_form
from ops.hosts import hosts, swarm
from ops.hosts.docker_host import PART_LABEL, DockerHost
from ops.hosts.hosts import Hosts
from ops.hosts.swarm import Leaving, SwarmManager
from ops.hosts.swarm_tasks import task_to_report
from tests.unit.given import settings
from tests.unit.ops.hosts.played_swarm import Api, make_impatient, manager, service, task


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    make_impatient(monkeypatch)


def test_the_engine_chooses_who_speaks_for_a_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[str] = []

    def connect(address: str, *_: Any) -> Any:
        connected.append(address)
        return SimpleNamespace(api=None)

    monkeypatch.setattr(hosts, "connect", connect)
    assert type(Hosts(settings()).manager) is DockerHost
    assert type(Hosts(settings(engine="swarm")).manager) is SwarmManager
    one = Hosts(settings())
    assert one.manager is one.manager
    one.at(*one.addresses)
    assert len(connected) == 3  # each object connects once to each host


def test_a_task_is_known_by_its_addresses_on_all_networks() -> None:
    attached = [{"Addresses": ["10.0.1.5/24"]}, {"Addresses": ["10.0.2.7/24"]}]
    host, _ = manager([service()], {**task("1"), "NetworksAttachments": attached}, task("2"))
    assert [each.addresses for each in host.instances("t")] == [("10.0.1.5", "10.0.2.7"), ()]


def test_tasks_of_earlier_forms_are_neither_instances_nor_ill() -> None:
    old = task("3", "shutdown", "shutdown"), task("4", "failed", "shutdown"), task("5", "running", "shutdown")
    host, _ = manager([service()], task("1"), task("2"), *old)
    assert [each.healthy for each in host.instances("t")] == [True, True]
    assert host.instances("t")[0].name == "friday-t-friday.1 on one"
    assert host.complaint("t") == ""


@pytest.mark.parametrize(
    ("replicas", "tasks"),
    [
        (2, [task("1"), task("2", "starting")]),
        (2, [task("1"), task("2", "pending"), task("3", "running", "shutdown")]),
        (None, [task("1"), task("2", "preparing")]),
        (None, []),
    ],
)
def test_a_service_below_its_number_is_ill(replicas: int | None, tasks: list[Any]) -> None:
    host, _ = manager([service(replicas=replicas)], *tasks)
    assert host.complaint("t").startswith("friday-t-friday: ")


def test_no_replica_at_all_may_be_what_is_wanted() -> None:
    host, _ = manager([service(replicas=0)])
    assert host.complaint("t") == ""


def test_a_service_that_went_back_is_well_and_still_the_reason_of_a_failure() -> None:
    failed = task("2", "failed", "shutdown", error="task: non-zero exit (3)")
    host, _ = manager([service(replicas=1, update="rollback_completed")], task("1"), failed)
    assert host.complaint("t") == ""
    assert host.reasons("t").splitlines() == [
        "friday-t-friday: 1 run, rollback completed",
        "  task  | failed: task: non-zero exit (3)",
        "  log   | the schema is too old",
    ]


def test_names_carry_the_form_and_wait_for_an_update_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    host, api = manager([service(update="updating")])
    monkeypatch.setattr(swarm, "_UPDATE_SECONDS", 60.0)
    monkeypatch.setattr("time.sleep", lambda _: api.listed[0].update(UpdateStatus={"State": "completed"}))
    assert host.names("t") == {instance_of("friday-t-friday", seen_digest(service()["Spec"]))}


def test_strays_are_services_and_files_of_the_stack_alone_that_nothing_uses() -> None:
    host, api = manager([service("friday"), service("redis")])
    gone = host.remove_orphans("t", {"friday"})
    assert gone == ["friday-t-redis", "friday-t-edge-haproxy-cfg-01234567"]
    assert api.removed == ["redis", "friday-t-edge-haproxy-cfg-01234567"]


def test_what_is_to_stop_and_runs_is_known_by_its_address_on_the_edges_network() -> None:
    networks = [
        {"Network": {"Spec": {"Name": "ingress"}}, "Addresses": ["10.0.0.3/24"]},
        {"Network": {"Spec": {"Name": "friday-t-app"}}, "Addresses": ["10.0.1.5/24"]},
    ]
    old = {**task("3", "running", "shutdown"), "NetworksAttachments": networks}
    stopped = {**task("4", "shutdown", "shutdown"), "NetworksAttachments": networks}
    wanted = {**task("5"), "NetworksAttachments": networks}
    other = {**task("6", "running", "shutdown", "litellm"), "NetworksAttachments": networks}
    host, _ = manager([service(), service("litellm")], old, stopped, wanted, other)
    assert host.leaving("t", "friday") == [Leaving("c", "10.0.1.5")]
    assert (host.running("t", "friday"), host.running("t", "litellm")) == (1, 0)


def test_what_is_to_end_is_known_also_of_a_service_that_is_no_more() -> None:
    def of(stack: str, container: str, state: str, wanted: str) -> dict[str, Any]:
        found: dict[str, Any] = task("1", state, wanted, "gone")
        found["Spec"]["ContainerSpec"]["Labels"] = {"friday-litellm.stack": stack}
        found["Status"]["ContainerStatus"] = {"ContainerID": container} if container else None
        return found

    host, _ = manager(
        [service()],
        of("t", "old", "running", "shutdown"),
        of("t", "removed", "running", "remove"),
        of("t", "wanted", "running", "running"),
        of("t", "", "pending", "shutdown"),
        of("eu", "of another", "running", "shutdown"),
        {**task("9"), "Spec": {}},  # a plugin's, or what is attached to a network
    )
    assert host.ending("t") == {"old", "removed"}


def test_the_image_that_stays_is_that_of_the_ports_as_it_was_declared() -> None:
    ports = service("edge-ports", None)
    ports["Spec"]["TaskTemplate"]["ContainerSpec"] |= {"Image": f"edge:1@sha256:{'0' * 64}", "Command": ["bash"]}
    host, _ = manager([service(), ports])
    assert host.kept_images("t") == {seen_form(ports["Spec"]): "edge:1"}


def test_a_stack_that_goes_ends_its_tasks_but_not_the_edges() -> None:
    """What files hold and what ran once is no task, and what has ended needs no end."""
    done: list[Any] = []
    modes = {"friday": {"Replicated": {"Replicas": 2}}, "edge": {"Global": {}}}
    made = [
        SimpleNamespace(attrs={"Spec": {"Mode": mode}}, scale=lambda number, name=name: done.append((name, number)))
        for name, mode in modes.items()
    ]
    containers = [
        SimpleNamespace(name=name, status=status, labels={PART_LABEL: part} if part else {})
        for name, status, part in [
            ("friday.1", "running", "friday"),
            ("friday.2", "exited", "friday"),
            ("edge.1", "running", "edge"),
            ("edge-ports.1", "running", "edge-ports"),
            ("migrate", "running", ""),
        ]
    ]
    host: Any = SimpleNamespace(containers=lambda _: containers, end=lambda name, seconds: done.append((name, seconds)))
    client: Any = SimpleNamespace(api=None, services=SimpleNamespace(list=lambda **_: made))
    SwarmManager(client, lambda: [host]).stop_tasks("t")
    assert done == [("friday", 0), ("friday.1", 10)]


def test_a_stack_that_goes_leaves_no_sockets_on_any_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host on which the edge came first has that volume without the stack's label."""
    monkeypatch.setattr(DockerHost, "remove_leftovers", lambda *_: ["friday-t-app"])
    there: Any = SimpleNamespace(
        containers=lambda _: [], remove_leftovers=lambda _: ["data"], remove_volume=lambda name: [name]
    )
    client: Any = SimpleNamespace(api=Api([], []))
    gone = SwarmManager(client, lambda: [there, there]).remove_leftovers("t")
    assert gone == ["friday-t-edge-haproxy-cfg-01234567", "friday-t-app", *["data", "friday-t-edge-ports-sockets"] * 2]


def test_the_task_that_failed_last_explains_most() -> None:
    assert task_to_report([task("1", "failed"), task("3", "starting"), task("2", "rejected")])["ID"] == "2"  # type: ignore[index]
    assert task_to_report([task("1"), task("3", "pending")])["ID"] == "3"  # type: ignore[index]
    assert task_to_report([task("1")]) is None
