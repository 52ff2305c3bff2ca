"""What a stack file says of the container of one's own image: what is refused, and what both engines make of it."""

from pathlib import Path
from typing import Any

import pytest

from components.probes import HealthProbe, ProbeClient
from components.settings.source import SettingsError, from_stack_file
from components.workload import File, Workload
from tests.unit.declared import SERVICE, VOLUME, by_part, declare, plain
from tests.unit.given import LOCAL, SECRETS, settings, stack_file

OWN = {
    **LOCAL["friday"],
    "image": "registry.example/friday:1",
    "command": ["node", "dist/index.js"],
    "user": "1000:1000",
    "writable": [
        {"path": "/logs", "kind": "tmpfs", "sizeMb": 128},
        {"path": "/cache", "kind": "tmpfs"},
        {"path": "/app/uploads", "kind": "volume"},
    ],
    "startSeconds": 120,
    "networks": ["database"],
    "stopSignal": "SIGINT",
}
TMP = "/tmp"  # noqa: S108 - the container's own
SWARM = {"engine": "swarm", "dockerHost": "ssh://root@a"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"command": []}, ["friday.command", "a list of the program and its words", "got 0 entries"]),
        ({"command": "node x"}, ["friday.command", "a list of the program and its words", "got 'node x'"]),
        ({"command": ["", "x"]}, ["friday.command", "the first word names the program"]),
        ({"command": ["a\0b"]}, ["friday.command", "a word has a NUL"]),
        ({"user": 1000}, ["friday.user", "in quotes", "got 1000"]),
        ({"user": "a b"}, ["friday.user", "a user of the image", "got 'a b'"]),
        ({"user": ""}, ["friday.user", "a user of the image"]),
        ({"writable": [{"path": "logs", "kind": "tmpfs"}]}, ["writable.0.path", "an absolute path", "got 'logs'"]),
        ({"writable": [{"path": "/a/../b", "kind": "tmpfs"}]}, ["writable.0.path", "without empty, . or .. parts"]),
        ({"writable": [{"path": "/", "kind": "tmpfs"}]}, ["writable.0.path", "and not /"]),
        ({"writable": [{"path": "/logs/", "kind": "tmpfs"}]}, ["writable.0.path", "without empty"]),
        ({"writable": [{"path": TMP, "kind": "tmpfs"}]}, ["writable.0.path", f"{TMP} is in the container already"]),
        (
            {"writable": [{"path": "/proc/x", "kind": "tmpfs"}]},
            ["writable.0.path", "/proc is in the container already"],
        ),
        ({"writable": [{"path": "/etc/friday", "kind": "volume"}]}, ["writable.0.path", "/etc/friday is in the"]),
        ({"writable": [{"path": "/a", "kind": "bind"}]}, ["writable.0.kind", "tmpfs (in memory", "got 'bind'"]),
        ({"writable": [{"path": "/a"}]}, ["writable.0.kind", "tmpfs (in memory", "missing"]),
        ({"writable": [{"path": "/a", "kind": "tmpfs", "sizeMb": 0}]}, ["writable.0.sizeMb", "MiB from 1", "got 0"]),
        ({"writable": [{"path": "/a", "kind": "volume", "sizeMb": 9}]}, ["sizeMb should be left out of a volume"]),
        ({"writable": [{"path": "/a", "kind": "tmpfs"}] * 2}, ["friday.writable", "/a is there twice"]),
        (
            {"writable": [{"path": "/a/b", "kind": "volume"}, {"path": "/a-b", "kind": "volume"}]},
            ["friday.writable", "/a/b and /a-b, whose volumes would have one name"],
        ),
        ({"startSeconds": 1}, ["friday.startSeconds", "seconds from 5 to 1800", "got 1"]),
        ({"probeHeaders": {"X-A": "a\nb"}}, ["friday.probeHeaders", "one line of ASCII", "a map of request headers"]),
        ({"probeHeaders": {"X A": "a"}}, ["friday.probeHeaders", "a map of request headers"]),
        ({"probeHeaders": {"host": "a"}}, ["friday.probeHeaders", "without host: the probe sets it itself"]),
        ({"probeHeaders": {"Content-Length": "1"}}, ["friday.probeHeaders", "without content-length"]),
        ({"probeHeaders": {"Origin": "a", "origin": "b"}}, ["friday.probeHeaders", "with origin once"]),
        ({"probeClient": "curl"}, ["friday.probeClient", "node, python, bash or wget", "got 'curl'"]),
        ({"edgeCheckMs": 50}, ["friday.edgeCheckMs", "milliseconds from 100 to 60000", "got 50"]),
        ({"networks": ["a b"]}, ["friday.networks", "a list of names"]),
        ({"networks": ["db", "db"]}, ["friday.networks", "db is there twice"]),
        ({"networks": ["host"]}, ["friday.networks", "host is a mode of Docker"]),
        ({"stopSignal": "SIGWHAT"}, ["friday.stopSignal", "SIGTERM, SIGINT", "got 'SIGWHAT'"]),
    ],
)
def test_a_wrong_word_about_the_container_is_refused(
    tmp_path: Path, changes: dict[str, Any], expected: list[str]
) -> None:
    with pytest.raises(SettingsError) as caught:
        from_stack_file(stack_file(tmp_path, {"friday": {**LOCAL["friday"], **changes}}), SECRETS)
    for part in [*expected, "Pulumi.t.yaml:", "fix: "]:
        assert part in str(caught.value)


def test_a_container_gets_what_is_named() -> None:
    recorder = declare(settings(friday=OWN))
    containers = by_part(recorder)["friday"]
    assert len(containers) == 2
    for each in containers:
        assert (each["entrypoints"], each["command"]) == (["node"], ["dist/index.js"])
        assert (each["user"], each["stopSignal"]) == ("1000:1000", "SIGINT")
        assert {path: options.split(",")[3] for path, options in each["tmpfs"].items()} == {
            TMP: "size=64m",
            "/logs": "size=128m",
            "/cache": "size=64m",
        }
        assert each["tmpfs"]["/logs"].endswith(",mode=1777,uid=1000,gid=1000")
        assert each["tmpfs"][TMP].endswith(",mode=1777")
        assert each["volumes"] == [{"containerPath": "/app/uploads", "volumeName": "friday-t-friday-app-uploads"}]
        assert [network["name"] for network in each["networksAdvanced"]] == ["friday-t-app", "database"]
        assert each["networksAdvanced"][1].get("aliases") is None
        assert each["healthcheck"]["startPeriod"] == "2m0s"
        assert each["waitTimeout"] > 120
    volume = recorder.of(VOLUME)["friday-app-uploads-volume"]
    assert {"label": "friday-litellm.stack", "value": "t"} in volume["labels"]


def test_a_service_gets_what_is_named() -> None:
    task = plain(declare(settings(friday=OWN, **SWARM)).of(SERVICE)["friday"]["taskSpec"])
    spec = task["containerSpec"]
    assert (spec["commands"], spec["args"]) == (["node"], ["dist/index.js"])
    assert (spec["user"], spec["stopSignal"]) == ("1000:1000", "SIGINT")
    mounts = {each["target"]: each for each in spec["mounts"]}
    assert mounts["/logs"]["tmpfsOptions"] == {"sizeBytes": 128 * 1024 * 1024}
    assert mounts["/app/uploads"]["source"] == "friday-t-friday-app-uploads"
    assert mounts["/app/uploads"]["volumeOptions"]["labels"] == [{"label": "friday-litellm.stack", "value": "t"}]
    assert [each["id"] for each in task["networksAdvanceds"]] == ["network-app-id", "database-id"]


def test_a_node_image_gets_defaults_of_its_own_and_the_reference_friday_keeps_its() -> None:
    others = by_part(declare(settings(friday={**LOCAL["friday"], "image": "registry.example/friday:1"})))["friday"][0]
    reference = by_part(declare(settings()))["friday"][0]
    assert [others["healthcheck"][key] for key in ("startPeriod", "interval")] == ["1m0s", "5s"]
    assert [reference["healthcheck"][key] for key in ("startPeriod", "interval")] == ["20s", "2s"]
    assert (others["user"], reference["user"]) == ("1000:1000", "10001:10001")
    assert others["healthcheck"]["tests"][1] == "node"
    for each in (others, reference):
        assert set(each["tmpfs"]) == {TMP}
        assert "stopSignal" not in each


def given(**changes: Any) -> Workload:
    probe = HealthProbe(port=3000, client=ProbeClient.NODE, interval_seconds=2)
    fields: dict[str, Any] = {
        "part": "friday",
        "image": "friday:1",
        "command": ("serve", "it"),
        "networks": ("app",),
        "probe": probe,
        "memory_mb": 256,
        "user": "10001:10001",
        "replicas": 2,
        "env": {"A": "b"},
        "secret_env": {"C": "d"},
        "files": {"f": File("x", secret=True)},
        "stop_grace_seconds": 60,
        "replaced_by_overlap": True,
    }
    return Workload(**{**fields, **changes})


def test_what_does_not_use_them_keeps_the_digest_that_it_had_before_there_were_these_fields() -> None:
    # As it was computed at 81b7b76: another one would replace the replicas of every stack that stands.
    assert given().digest() == "bf6f607c"


@pytest.mark.parametrize(
    "changes",
    [
        {"tmpfs": {"/logs": 64}},
        {"volumes": {"/logs": "logs"}},
        {"outer_networks": ("database",)},
        {"stop_signal": "SIGINT"},
        {"probe": HealthProbe(port=3000, client=ProbeClient.NODE, interval_seconds=2, headers={"Origin": "x"})},
    ],
    ids=["tmpfs", "volumes", "networks", "signal", "headers"],
)
def test_each_of_them_makes_a_new_replica(changes: dict[str, Any]) -> None:
    assert given(**changes).digest() != given().digest()
