"""What a host holds of a stack: its containers, their addresses and images, strays and leftovers."""

from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError, NotFound

from ops.hosts.docker_host import FORM_LABEL, JOB_LABEL, REPLICA_LABEL, DockerHost

NETWORKS: dict[str, Any] = {"NetworkSettings": {"Networks": {"friday-t-app": {"IPAddress": "10.0.0.1"}}}}


class Thing:
    """A container, a network or a volume; it remembers that it was removed."""

    def __init__(self, name: str) -> None:
        self.id, self.name, self.gone = f"{name}-id", name, False
        self.labels: dict[str, str] = {}

    def remove(self, **_: Any) -> None:
        self.gone = True


@pytest.fixture
def things() -> list[Thing]:
    return [Thing("friday-1"), Thing("friday-2"), Thing("app"), Thing("data")]


@pytest.fixture
def host(things: list[Thing]) -> DockerHost:
    made = DockerHost.__new__(DockerHost)
    made._client = SimpleNamespace(  # type: ignore[assignment]
        containers=SimpleNamespace(list=lambda **_: things[:2]),
        networks=SimpleNamespace(list=lambda **_: things[2:3]),
        volumes=SimpleNamespace(list=lambda **_: things[3:]),
    )
    return made


def test_only_what_the_state_does_not_know_is_a_stray(host: DockerHost, things: list[Thing]) -> None:
    assert host.remove_orphans("t", {"friday-1-id"}) == ["friday-2"]
    assert [thing.gone for thing in things] == [False, True, False, False]


def test_what_ran_once_is_known_to_no_state_and_no_stray(host: DockerHost, things: list[Thing]) -> None:
    things[0].labels = {JOB_LABEL: "migrate"}
    assert host.remove_orphans("t", set()) == ["friday-2"]


def test_an_instance_shows_the_name_of_its_image(host: DockerHost) -> None:
    state = {"Status": "running", "StartedAt": "2026-11-24T12:00:00Z", "Health": {"Status": "healthy"}}

    def container(name: str, image: str) -> Any:
        labels = {REPLICA_LABEL: "1", "friday-litellm.part": "friday"}
        return SimpleNamespace(name=name, labels=labels, attrs={"State": state, "Config": {"Image": image}, **NETWORKS})

    made = [container("b", "sha256:1"), container("a", "sha256:2"), container("c", "sha256:3")]
    images = [
        {"Id": "sha256:1", "RepoTags": ["friday-litellm/friday:0123456789ab"], "RepoDigests": []},
        {"Id": "sha256:2", "RepoTags": None, "RepoDigests": ["registry.example/friday@sha256:4"]},
        {"Id": "sha256:3", "RepoTags": [], "RepoDigests": None},
    ]
    host._client.containers.list = lambda **_: made  # type: ignore[method-assign]
    host._client.api = SimpleNamespace(images=lambda: images)  # type: ignore[assignment]
    assert [(each.name, each.image) for each in host.instances("t")] == [
        ("a", "registry.example/friday@sha256:4"),
        ("b", "friday-litellm/friday:0123456789ab"),
        ("c", "sha256:3"),
    ]


@pytest.mark.parametrize(("images_own", "sent"), [("SIGQUIT", "SIGQUIT"), (None, "SIGTERM")])
def test_a_container_ends_by_its_images_own_signal(host: DockerHost, images_own: str | None, sent: str) -> None:
    """Also where it has just ended by itself, or is gone."""
    done: list[Any] = []

    def kill(name: str, signal: str) -> None:
        done.append((name, signal))
        raise APIError("is not running")

    api: Any = SimpleNamespace(
        inspect_container=lambda _: {"Image": "sha256:1"},
        inspect_image=lambda _: {"Config": {"StopSignal": images_own} if images_own else {}},
        kill=kill,
        stop=lambda name, timeout: done.append((name, timeout)),
    )
    host._client.api = api
    host.end("friday.1", 10)
    assert done == [("friday.1", sent), ("friday.1", 10)]

    def gone(_: str) -> Any:
        raise NotFound("No such container")

    api.inspect_container = gone
    host.end("friday.1", 10)


def test_leftovers_are_containers_networks_and_volumes(host: DockerHost, things: list[Thing]) -> None:
    assert host.remove_leftovers("t") == ["friday-1", "friday-2", "app", "data"]
    assert all(thing.gone for thing in things)


def test_a_command_runs_in_every_container_of_a_part_that_is_still_there(host: DockerHost) -> None:
    def create(container: str, _: list[str], stdin: bool) -> dict[str, str]:
        assert not stdin
        if container == "gone":
            raise NotFound(container)
        if container == "ended":
            raise APIError("Conflict", explanation="Container 0123 is not running")
        return {"Id": f"in {container}"}

    wanted = ["friday-litellm.stack=t", "friday-litellm.part=edge"]
    listed = [{"Id": name, "Names": [f"/edge-{name}"]} for name in ("a", "gone", "ended", "b")]
    host._client.api = SimpleNamespace(  # type: ignore[assignment]
        containers=lambda filters: listed if filters == {"label": wanted} else [],
        exec_create=create,
        exec_start=lambda made: f"printed {made}\n\xff".encode("latin-1"),
    )
    assert host.run_in("t", "edge", ["true"]) == {f"edge-{name}": f"printed in {name}\n\ufffd" for name in "ab"}
    assert host.run_in("t", "edge", ["true"], only="edge-b") == {"edge-b": "printed in b\n\ufffd"}


def test_a_container_that_cannot_be_asked_is_not_passed_over(host: DockerHost) -> None:
    def create(*_: Any, **__: Any) -> None:
        raise APIError("Conflict", explanation="Container 0123 is paused")

    listed = [{"Id": "a", "Names": ["/edge-a"]}]
    host._client.api = SimpleNamespace(containers=lambda filters: listed, exec_create=create)  # type: ignore[assignment]
    with pytest.raises(APIError, match="is paused"):
        host.run_in("t", "edge", ["true"])


def test_a_volume_is_removed_by_its_name_if_it_is_there(host: DockerHost) -> None:
    def get(name: str) -> Thing:
        if name == "gone":
            raise NotFound(name)
        return thing

    thing = Thing("sockets")
    host._client.volumes = SimpleNamespace(get=get)  # type: ignore[misc, assignment]
    assert (host.remove_volume("gone"), host.remove_volume("sockets")) == ([], ["sockets"])
    assert thing.gone


def test_addresses_are_those_on_one_network_of_what_runs(host: DockerHost) -> None:
    def listed(filters: dict[str, Any]) -> list[dict[str, Any]]:
        assert filters == {"label": ["friday-litellm.stack=t", "friday-litellm.part=friday"], "status": "running"}
        networks = {"app": {"IPAddress": "172.18.0.2"}, "database": {"IPAddress": "172.19.0.2"}}
        on_both = {"Names": ["/friday-1"], "NetworkSettings": {"Networks": networks}}
        return [on_both, {"Names": ["/friday-2"], "NetworkSettings": {"Networks": {}}}]

    host._client.api = SimpleNamespace(containers=listed)  # type: ignore[assignment]
    assert host.addresses("t", "friday", "app") == {"friday-1": "172.18.0.2"}


def test_a_container_that_is_gone_need_not_be_stopped(host: DockerHost) -> None:
    stopped = []

    def stop(container: str, timeout: int) -> None:
        stopped.append((container, timeout))
        if container == "gone":
            raise NotFound(container)

    host._client.api = SimpleNamespace(stop=stop)  # type: ignore[assignment]
    host.stop("friday-1", 7)
    host.stop("gone", 1)
    assert stopped == [("friday-1", 7), ("gone", 1)]


def test_of_the_containers_that_are_named_only_those_that_are_not_healthy_are_removed(host: DockerHost) -> None:
    states: dict[str, dict[str, Any]] = {
        "well": {"Status": "running", "Health": {"Status": "healthy"}},
        "sick": {"Status": "running", "Health": {"Status": "unhealthy"}},
        "other": {"Status": "exited"},
    }
    made: list[Any] = [Thing(name) for name in states]
    for each in made:
        each.attrs = {"State": states[each.name]}
    host._client.containers.list = lambda **_: made  # type: ignore[method-assign]
    assert host.remove_unhealthy("t", {"well-id", "sick-id"}) == {"sick-id": "sick"}
    assert [each.gone for each in made] == [False, True, False]


def test_guests_are_the_containers_of_others_on_the_stacks_networks(host: DockerHost) -> None:
    own, other = "a" * 64, "b" * 64
    endpoints = {own: {"Name": "friday-t-edge-1"}, other: {"Name": "postgres"}, "lb-app": {"Name": "app-endpoint"}}
    host._client.api = SimpleNamespace(  # type: ignore[assignment]
        containers=lambda **_: [{"Id": own}],
        networks=lambda **_: [{"Id": "n", "Name": "friday-t-app"}],
        inspect_network=lambda _: {"Name": "friday-t-app", "Containers": endpoints},
    )
    assert host.guests("t") == [("friday-t-app", "postgres")]


def test_an_image_is_kept_by_the_form_of_what_runs_of_it(host: DockerHost) -> None:
    asked: list[Any] = []

    def containers(filters: Any) -> list[dict[str, Any]]:
        asked.append(filters)
        return [{"Labels": {FORM_LABEL: "0123abcd"}, "ImageID": "sha256:1"}]

    host._client.api = SimpleNamespace(containers=containers)  # type: ignore[assignment]
    assert host.kept_images("t") == {"0123abcd": "sha256:1"}
    assert asked == [{"label": ["friday-litellm.stack=t", FORM_LABEL], "status": "running"}]
