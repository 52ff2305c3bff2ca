"""What the program declares, seen through Pulumi's mocks: containers, networks, ports, secrets, both engines."""

import json
import time
from typing import Any

import pulumi_docker as docker
import pytest
from pulumi import ResourceOptions
from pulumi.runtime import MockResourceArgs

from components import edge_ports
from components.part import ROOT
from components.parts import declare as stack_of
from components.stack import summary
from components.swarm_service import declared_form
from tests.unit.declared import CONTAINER, IMAGES, PARTS, SERVICE, VOLUME, Recorder, by_part, declare, env, plain
from tests.unit.given import LOCAL, SECRETS, settings

GATEWAY_SECRETS = ("openrouter_api_key", "gateway_key", "edge_key", "ops_key", "redis_password")


def test_the_local_shape() -> None:
    parts = by_part(declare(settings()))
    assert {part: len(found) for part, found in parts.items()} == {
        "friday": 2,
        "litellm": 2,
        "edge": 1,
        "edge-ports": 1,
        "redis": 1,
        "redis-exporter": 1,
        "alertmanager": 1,
        "prometheus": 1,
        "simulator": 1,
    }


def test_one_gateway_replica_needs_no_redis() -> None:
    parts = by_part(declare(settings(litellm={"replicas": 1})))
    assert not {"redis", "redis-exporter"} & parts.keys()
    assert "REDIS_HOST" not in env(parts["litellm"][0])


def test_the_edge_is_made_only_when_all_that_it_looks_for_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    well: list[str] = []
    make = Recorder.new_resource

    def make_slowly(recorder: Recorder, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        if args.name.startswith(("friday-t-friday-1", "friday-t-litellm-2")):
            time.sleep(0.2)
        well.append(args.name)
        return make(recorder, args)

    monkeypatch.setattr(Recorder, "new_resource", make_slowly)
    declare(settings())
    for last in ("edge-1", next(name for name in well if name.startswith("edge-files-"))):
        before = {name.removeprefix("friday-t-").rpartition("-")[0] for name in well[: well.index(last)]}
        assert before >= {"friday-1", "friday-2", "litellm-1", "litellm-2"}


def test_modules_are_read_where_they_stand_and_settings_and_secrets_are_handed_over() -> None:
    containers = declare(settings()).of(CONTAINER)
    (found,) = (plain(found["uploads"]) for name, found in containers.items() if name.startswith("litellm-files-"))
    uploads = {each["file"].removeprefix("/etc/friday/"): each for each in found}
    modules = {path for path, each in uploads.items() if each.get("source")}
    assert "gateway/guard.py" in modules
    assert all((ROOT / uploads[path]["source"]).is_file() for path in modules)
    assert not any(uploads[path].get("content") for path in modules)
    assert uploads.keys() - modules == {"config.yaml", *(f"secrets/{name}" for name in GATEWAY_SECRETS)}
    assert all(uploads[path]["content"] for path in uploads.keys() - modules)


def test_the_real_upstream_has_no_simulator() -> None:
    parts = by_part(declare(settings(upstream="openrouter", **SECRETS)))
    assert "simulator" not in parts
    assert env(parts["litellm"][0])["OPENROUTER_API_BASE"] == "https://openrouter.ai/api/v1"
    assert env(parts["friday"][0])["OPENROUTER_BASE_URL"] == "https://openrouter.ai/api/v1"


def test_only_edge_and_prometheus_are_on_both_sides_and_friday_reaches_nothing_behind_them() -> None:
    parts = by_part(declare(settings(upstream="openrouter", **SECRETS)))
    networks = {part: {network["name"] for network in found[0]["networksAdvanced"]} for part, found in parts.items()}
    assert networks["friday"] == {"friday-t-app"}
    for part in ("litellm", "redis", "redis-exporter", "alertmanager"):
        assert networks[part] == {"friday-t-gateway"}
    assert networks["edge"] == networks["edge-ports"] == networks["prometheus"] == {"friday-t-app", "friday-t-gateway"}


def test_who_publishes_ports_and_that_all_but_the_users_are_on_loopback() -> None:
    parts = by_part(declare(settings(edge={"bindAddress": "0.0.0.0"})))  # noqa: S104
    ports = {part: {(int(port["external"]), port["ip"]) for port in found[0]["ports"]} for part, found in parts.items()}
    assert ports["edge-ports"] == {(3000, "0.0.0.0"), (4000, "127.0.0.1")}  # noqa: S104
    assert ports["simulator"] == {(4100, "127.0.0.1")}
    assert ports["prometheus"] == {(9090, "127.0.0.1")}
    assert ports["alertmanager"] == {(9093, "127.0.0.1")}
    assert ports["edge"] == ports["friday"] == ports["litellm"] == ports["redis"] == ports["redis-exporter"] == set()


@pytest.mark.parametrize("part", PARTS)
def test_every_container_is_locked_down_and_probed(part: str) -> None:
    for container in by_part(declare(settings()))[part]:
        assert container["readOnly"] is True
        assert container["user"] not in ("", "root", "0")
        assert container["capabilities"] == {"drops": ["ALL"]}
        assert container["securityOpts"] == ["no-new-privileges:true"]
        assert container["healthcheck"]["tests"][0] == "CMD"
        assert container["wait"] is True
        assert container["memory"] >= 32
        assert container["logOpts"] == {"max-size": "10m", "max-file": "3"}
        assert container["image"] == f"sha256:image-{IMAGES[part]}"


def test_what_users_talk_to_comes_first_where_processors_are_short() -> None:
    parts = by_part(declare(settings()))
    weights = {part: {int(container["cpuShares"]) for container in found} for part, found in parts.items()}
    assert weights.pop("friday") == weights.pop("edge") == weights.pop("edge-ports") == {4096}
    assert set.union(*weights.values()) == {1024}


@pytest.mark.parametrize("part", PARTS)
def test_no_secret_is_in_environment_or_command(part: str) -> None:
    for container in by_part(declare(settings()))[part]:
        shown = json.dumps([container["envs"], container["command"], container["healthcheck"]])
        for secret in SECRETS.values():
            assert secret not in shown


def test_the_rollout_percentage_is_fridays_environment() -> None:
    found = env(by_part(declare(settings(rolloutPercentage=10)))["friday"][0])
    assert found["ENABLE_LITELLM"] == "true"
    assert found["LITELLM_ROLLOUT_PERCENTAGE"] == "10"
    assert found["LITELLM_BASE_URL"] == "http://edge:4000"
    off = env(by_part(declare(settings(litellmEnabled=False)))["friday"][0])
    assert off["ENABLE_LITELLM"] == "false"


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


def test_a_friday_image_of_the_teams_own_gets_its_secrets_as_environment() -> None:
    own = {
        "image": "registry.example/friday:1",
        "healthPath": "/",
        "probeClient": "wget",
    }
    container = by_part(declare(settings(friday=own, fridaySecrets={"SMTP_KEY": "k"})))["friday"][0]
    found = env(container)
    assert found["JWT_SECRET"] == SECRETS["jwtSecret"]
    assert found["SMTP_KEY"] == "k"
    assert container["healthcheck"]["tests"][:2] == ["CMD", "wget"]


def test_the_swarm_engine_declares_services_with_configs_and_secrets() -> None:
    recorder = declare(settings(engine="swarm", upstream="openrouter", **SECRETS))
    services = recorder.of(SERVICE)
    assert set(services) == {*PARTS, "edge-ports"} - {"simulator"}
    spec = services["litellm"]["taskSpec"]["containerSpec"]
    assert {config["fileName"] for config in spec["configs"]} >= {
        "/etc/friday/config.yaml",
        "/etc/friday/gateway/serve.py",
    }
    assert {secret["fileName"] for secret in spec["secrets"]} >= {"/etc/friday/secrets/gateway_key"}
    assert services["litellm"]["updateConfig"]["order"] == "start-first"
    assert services["litellm"]["updateConfig"]["failureAction"] == "rollback"
    # Names of their own instead of aliases, which only the official plugin knows.
    assert {part: each["name"] for part, each in services.items()} == {p: f"friday-t-{p}" for p in services}
    friday = services["friday"]["taskSpec"]["containerSpec"]["env"]
    assert services["litellm"]["endpointSpec"]["mode"] == "dnsrr"
    assert friday["LITELLM_BASE_URL"] == "http://friday-t-edge:4000"
    shown = json.dumps(spec["configs"]) + json.dumps(recorder.of("docker:index/serviceConfig:ServiceConfig"))
    assert SECRETS["gatewayKey"] not in shown


def test_an_image_of_ones_own_keeps_its_command_and_user_and_gets_no_empty_one() -> None:
    own = {**LOCAL["friday"], "image": "example.com/friday-ai:1"}
    for container in by_part(declare(settings(friday=own)))["friday"]:
        assert container["user"] == "1000:1000"
        assert not {"command", "entrypoints"} & container.keys()


@pytest.mark.parametrize(
    ("host", "bound", "url"),
    [
        ("ssh://deploy@staging.example:2222", "0.0.0.0", "http://staging.example:3000"),  # noqa: S104
        ("ssh://deploy@staging.example", "192.0.2.7", "http://192.0.2.7:3000"),
        ("unix:///var/run/docker.sock", "0.0.0.0", "http://127.0.0.1:3000"),  # noqa: S104
        ("unix:///var/run/docker.sock", "127.0.0.1", "http://127.0.0.1:3000"),
    ],
)
def test_fridays_url_is_where_users_reach_the_edge(host: str, bound: str, url: str) -> None:
    assert summary(settings(dockerHost=host, edge={"bindAddress": bound}))["fridayUrl"] == url


def test_the_plugin_shares_the_connection_of_a_host_and_the_state_names_no_folder_of_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FRIDAY_SSH_CONTROL_DIR", "/run/user/1000/friday-litellm")
    chosen = settings(dockerHost="ssh://deploy@staging.example", ssh={"identityFile": "/keys/id"})
    (provider,) = declare(chosen).of("pulumi:providers:docker").values()
    options = json.loads(provider["sshOpts"])
    name = chosen.ssh.connection_name(chosen.docker_host)
    assert options == [
        *chosen.ssh.options(),
        *("-o", "ControlMaster=no", "-o", f"ControlPath=${{FRIDAY_SSH_CONTROL_DIR}}/{name}"),
    ]


def test_a_long_stack_name_makes_no_name_that_a_swarm_refuses() -> None:
    recorder = declare(settings(engine="swarm"), stack="a-stack-with-quite-a-long-name")
    kinds = ("docker:index/secret:Secret", "docker:index/serviceConfig:ServiceConfig", SERVICE)
    names = [each["name"] for kind in kinds for each in recorder.of(kind).values()]
    assert len(names) == len(set(names)) > 10
    assert max(map(len, names)) <= 64


def test_a_services_whole_minutes_are_written_as_the_engine_writes_them_back() -> None:
    services = declare(settings(engine="swarm", friday={"stopGraceSeconds": 120})).of(SERVICE)
    graces = {part: each["taskSpec"]["containerSpec"]["stopGracePeriod"] for part, each in services.items()}
    assert (graces["friday"], graces["litellm"], graces["redis"]) == ("2m", "1m30s", "10s")
