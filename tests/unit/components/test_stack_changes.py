"""What a changed setting makes anew of what the program declares, what stays, and which is there first."""

from typing import Any

import pulumi_docker as docker
import pytest
from pulumi import ResourceOptions

from components import edge_ports
from components.parts import declare as stack_of
from components.swarm_service import declared_form
from tests.unit.declared import CONTAINER, IMAGES, PARTS, SERVICE, VOLUME, by_part, declare, env
from tests.unit.given import LOCAL, settings


def test_a_percentage_makes_new_fridays_and_leaves_all_else() -> None:
    before = set(declare(settings(rolloutPercentage=10)).of(CONTAINER))
    after = set(declare(settings(rolloutPercentage=50)).of(CONTAINER))
    assert {name.removeprefix("friday-t-").split("-")[0] for name in before ^ after} == {"friday"}
    assert len(before - after) == len(after - before) == 2


def test_a_changed_model_makes_new_gateways_and_leaves_all_else() -> None:
    before = set(declare(settings()).of(CONTAINER))
    after = set(declare(settings(router={"cooldownSeconds": 30})).of(CONTAINER))
    assert {name.removeprefix("friday-t-").split("-")[0] for name in before ^ after} == {"litellm"}


def test_what_overlaps_is_never_deleted_before_its_successor_is_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, tuple[bool | None, str | None]] = {}
    container = docker.Container

    def note(resource: str, *, name: str | None, opts: ResourceOptions, **given: Any) -> docker.Container:
        made[resource] = opts.delete_before_replace, name
        return container(resource, name=name, opts=opts, **given)

    monkeypatch.setattr(docker, "Container", note)
    declare(settings())
    runs = {name: found for name, found in made.items() if "-files-" not in name}
    deleted_first = {name for name, (first, _) in runs.items() if first}
    alone = ("edge", "redis", "redis-exporter", "alertmanager", "prometheus", "simulator")
    assert deleted_first == {f"{part}-1" for part in alone}
    # Two containers cannot share a name: one that stays for its successor needs one that Pulumi makes up.
    assert {name for name, (_, container_name) in runs.items() if container_name} == deleted_first
    assert all(name.startswith("friday-t-") for name in runs.keys() - deleted_first)


def test_another_probe_makes_another_container(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin itself would note the change and leave the container as it is."""
    made: dict[str, list[str] | None] = {}
    container = docker.Container

    def note(resource: str, *, opts: ResourceOptions, **given: Any) -> docker.Container:
        made[resource] = opts.replace_on_changes
        return container(resource, opts=opts, **given)

    monkeypatch.setattr(docker, "Container", note)
    declare(settings())
    probed = [found for name, found in made.items() if "-files-" not in name]
    assert probed == [["healthcheck.tests", "healthcheck.interval", "healthcheck.timeout"]] * len(probed)
    assert len(probed) == 11


@pytest.mark.parametrize(
    "changes", [{"friday": {**LOCAL["friday"], "replicas": 9}}, {"edgeKey": "another-edge-key-0123456789"}]
)
def test_the_edge_takes_other_files_and_stays(changes: dict[str, Any]) -> None:
    before, after = declare(settings()), declare(settings(**changes))
    assert by_part(before)["edge"] == by_part(after)["edge"]
    assert before.of(VOLUME) == after.of(VOLUME)
    held = [
        {name: each for name, each in one.of(CONTAINER).items() if "edge-files-" in name} for one in (before, after)
    ]
    assert held[0].keys().isdisjoint(held[1])
    for files in held:
        (each,) = files.values()
        assert each["volumes"] == [{"volumeName": "friday-t-edge-files", "containerPath": "/etc/friday"}]


@pytest.mark.parametrize("changes", [{"memoryMb": 160}, {"image": "registry.example/edge:2"}])
def test_another_edge_follows_behind_the_ports_which_stay(changes: dict[str, Any]) -> None:
    before, after = (declare(settings(edge=edge)).of(CONTAINER) for edge in ({}, changes))
    ports = {**after["edge-1"], "image": before["edge-1"]["image"]}  # which image that is, the program asks the host
    assert ports == before["edge-1"]
    old, new = ({name for name in found if name.startswith("friday-t-edge-1-")} for found in (before, after))
    assert len(old) == len(new) == 1
    assert old.isdisjoint(new)


def test_what_has_the_ports_shares_its_sockets_with_the_edge() -> None:
    recorder = declare(settings())
    (ports,), (edge,) = (by_part(recorder)[part] for part in ("edge-ports", "edge"))
    shared = {"volumeName": "friday-t-edge-ports-sockets", "containerPath": edge_ports.SOCKETS}
    assert ports["volumes"] == [shared]
    assert shared in edge["volumes"]
    assert env(edge) == {"SOCKETS": edge_ports.SOCKETS}
    assert "edge-ports-sockets-volume" in recorder.of(VOLUME)
    # The name by which Friday and Prometheus look for the edge leads to the ports.
    aliases = {
        name: {tuple(each["aliases"]) for each in one["networksAdvanced"]}
        for name, one in (("edge", edge), ("ports", ports))
    }
    assert aliases == {"ports": {("edge",)}, "edge": {("edge-itself",)}}


def test_a_swarms_edge_follows_behind_its_ports_on_every_host() -> None:
    services = declare(settings(engine="swarm")).of(SERVICE)
    edge, ports = services["edge"], services["edge-ports"]
    assert [each["mode"] for each in (edge, ports)] == [{"global": True}] * 2
    assert [each["updateConfig"]["order"] for each in (edge, ports)] == ["start-first", "stop-first"]
    published = [(each["publishMode"], each["targetPort"]) for each in ports["endpointSpec"]["ports"]]
    assert published == [("host", 3000), ("host", 4001)]
    assert not edge["endpointSpec"]["ports"]
    specs = [each["taskSpec"]["containerSpec"] for each in (edge, ports)]
    sockets = [[each for each in spec["mounts"] if each["target"] == edge_ports.SOCKETS] for spec in specs]
    assert [each["source"] for (each,) in sockets] == ["friday-t-edge-ports-sockets"] * 2
    # Another label would have the edge removed and made anew on all hosts at once.
    assert ["volumeOptions" in each for (each,) in sockets] == [False, True]
    # Friday and Prometheus find a Swarm's edge by its service's name, which leads to the new task.
    assert "bind :4000" not in specs[1]["args"][-1]
    assert specs[0]["stopGracePeriod"] == "1m"


def test_what_has_a_swarms_ports_keeps_its_image_as_long_as_it_runs_as_declared() -> None:
    changed = settings(engine="swarm", edge={"image": "registry.example/edge:2"})
    (front,) = (each.front for each in stack_of("t", changed, IMAGES) if each.front)
    kept = {declared_form(front): "registry.example/edge:1"}
    services = declare(changed, kept_images=kept).of(SERVICE)
    images = {part: services[part]["taskSpec"]["containerSpec"]["image"] for part in ("edge", "edge-ports")}
    assert images == {"edge": "registry.example/edge:2", "edge-ports": "registry.example/edge:1"}


@pytest.mark.parametrize("engine", ["container", "swarm"])
def test_what_an_earlier_version_gave_the_ports_to_stays(engine: str) -> None:
    chosen = settings(engine=engine)
    (front,) = (each.front for each in stack_of("t", chosen, IMAGES) if each.front)
    assert front.earlier is not None
    form = declared_form(front.earlier) if engine == "swarm" else front.earlier.form()
    for kept, expected in (({form: "edge:1"}, front.earlier), ({}, front)):
        recorder = declare(chosen, kept_images=kept)
        if engine == "swarm":
            command = recorder.of(SERVICE)["edge-ports"]["taskSpec"]["containerSpec"]["args"]
        else:
            (ports,) = by_part(recorder)["edge-ports"]
            command = ports["command"]
        assert command == list(expected.command[1:])


@pytest.mark.parametrize("part", [part for part in PARTS if part != "edge"])
def test_what_runs_does_not_depend_on_the_id_of_the_container_that_holds_its_files(part: str) -> None:
    recorder = declare(settings())
    (files,) = (each for name, each in recorder.of(CONTAINER).items() if name.startswith(f"{part}-files-"))
    for container in by_part(recorder)[part]:
        assert [each["fromContainer"] for each in container["volumes"] if "fromContainer" in each] == [files["name"]]
