"""What an update would restart, said in words."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from pulumi import automation as auto
from pulumi.automation.events import OpType

from components.connection import PROVIDER
from ops.errors import OperationError
from ops.stacks import preview
from ops.stacks.preview import Change, in_words, look_ahead
from tests.unit.given import LOCAL, settings, stack_file

GAP, CUT = "expected gap: none for requests that end within", "once their replica is to go; longer ones are cut"
CONTAINER, SERVICE = "docker:index/container:Container", "docker:index/service:Service"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([], ["no container changes"]),
        ([Change("create", "docker:index/remoteImage:RemoteImage", "image-x")], ["no container changes"]),
        ([Change("create", CONTAINER, "friday-files-1")], ["no container changes"]),
        (
            [
                *(Change("create", CONTAINER, f"friday-{n}-new") for n in (1, 2)),
                *(Change("delete", CONTAINER, f"friday-{n}-old") for n in (1, 2)),
            ],
            [
                "friday: 2 new replicas beside 2 old, which finish what runs and go once the new are healthy",
                f"{GAP} 60 s (friday.stopGraceSeconds) {CUT}",
            ],
        ),
        (
            [Change("create", CONTAINER, "litellm-2-a"), Change("delete", CONTAINER, "friday-2-a")],
            [
                "friday: 1 replica less, which finishes what runs and goes",
                "litellm: 1 replica more",
                f"{GAP} 60 s (friday.stopGraceSeconds) {CUT}",
            ],
        ),
        (
            [Change("replace", CONTAINER, "edge-1"), Change("replace", CONTAINER, "redis-exporter-1")],
            [
                "edge: is stopped and started anew",
                "redis-exporter: is stopped and started anew",
                "expected gap: new requests are refused until the edge is back",
            ],
        ),
        (
            [Change("create", CONTAINER, "edge-1-new"), Change("delete", CONTAINER, "edge-1-old")],
            [
                "edge: 1 new replica beside 1 old, which finishes what runs and goes once the new is healthy",
                f"{GAP} 60 s (friday.stopGraceSeconds) {CUT}",
            ],
        ),
        (
            # A new port, or the first update of a stack whose edge had the ports itself.
            [
                Change("replace", CONTAINER, "edge-1"),
                Change("create", CONTAINER, "edge-1-new"),
            ],
            ["edge: is stopped and started anew", "expected gap: new requests are refused until the edge is back"],
        ),
        (
            [Change("replace", CONTAINER, "friday-1-a")],
            ["friday: is stopped and started anew", "expected gap: new requests are refused until Friday is back"],
        ),
        ([Change("create", CONTAINER, "litellm-3-a")], ["litellm: 1 replica more", "expected gap: none"]),
        (
            [Change("update", SERVICE, name) for name in ("friday", "litellm")],
            [
                "friday: new tasks start beside the old ones, which go once the new are healthy",
                "litellm: new tasks start beside the old ones, which go once the new are healthy",
                f"{GAP} 60 s (friday.stopGraceSeconds) or 90 s (litellm.stopGraceSeconds) {CUT}",
            ],
        ),
        (
            [Change("update", SERVICE, "friday")],
            [
                "friday: new tasks start beside the old ones, which go once the new are healthy",
                f"{GAP} 60 s (friday.stopGraceSeconds) {CUT}",
            ],
        ),
    ],
)
def test_changes_in_words(changes: list[Change], words: list[str]) -> None:
    assert in_words(changes, settings()) == words


@pytest.mark.parametrize(
    ("op", "part", "words"),
    [
        ("update", "worker", ["worker: each task is stopped before the next one starts", "expected gap: none"]),
        (
            "update",
            "edge",
            [
                "edge: new tasks start beside the old ones, which go once the new are healthy",
                f"{GAP} 60 s (friday.stopGraceSeconds) {CUT}",
            ],
        ),
        (
            "update",
            "edge-ports",
            [
                "edge-ports: each task is stopped before the next one starts",
                "expected gap: host by host, new requests are refused until what has the edge's ports is back",
            ],
        ),
        ("create", "worker", ["worker: is made", "expected gap: none"]),
        ("delete", "worker", ["worker: is removed", "expected gap: none"]),
        ("replace", "worker", ["worker: is removed and made anew", "expected gap: none"]),
    ],
)
def test_what_a_swarm_stops_first_is_said(op: str, part: str, words: list[str]) -> None:
    """A role must not work twice at a time, and a host's port is free for one task only."""
    friday = {**LOCAL["friday"], "image": "registry.example/friday:1", "roles": {"worker": {"command": ["node"]}}}
    assert in_words([Change(op, SERVICE, part)], settings(engine="swarm", friday=friday)) == words


@pytest.mark.parametrize(
    ("edge", "ports", "gap"),
    [
        ("create", "create", "none"),
        ("update", "create", "host by host, new requests are refused until what has the edge's ports is back"),
        ("update", "update", "host by host, new requests are refused until what has the edge's ports is back"),
        ("update", "replace", "new requests are refused until what has the edge's ports is back"),
    ],
    ids=["a new stack", "of a version whose edge had the ports", "other ports", "all made anew"],
)
def test_a_gap_of_a_swarms_ports_is_said(edge: str, ports: str, gap: str) -> None:
    changes = [Change(edge, SERVICE, "edge"), Change(ports, SERVICE, "edge-ports")]
    assert in_words(changes, settings(engine="swarm"))[-1] == f"expected gap: {gap}"


def test_a_swarm_promises_nothing_for_an_image_that_may_end_at_its_signal() -> None:
    own = {**LOCAL["friday"], "image": "registry.example/friday:1"}
    (_, gap) = in_words([Change("update", SERVICE, "friday")], settings(engine="swarm", friday=own))
    assert gap == f"{GAP} 60 s (friday.stopGraceSeconds) {CUT}"
    heard = {**own, "stopSignal": "SIGTERM"}
    (_, gap) = in_words([Change("update", SERVICE, "friday")], settings(engine="swarm", friday=heard))
    assert gap == (
        "expected gap: requests that run may be cut, unless Friday's image finishes them within 60 s "
        "(friday.stopGraceSeconds) of the stop signal"
    )


class Stack:
    """Plays a preview: remembers the settings that it was given, and tells two resources."""

    name = "t"

    def __init__(self, error: str = "") -> None:
        self._error = error
        self.config: dict[str, str] = {}
        command = SimpleNamespace(run=self._set)
        self.workspace = SimpleNamespace(pulumi_command=command, work_dir="/checkout", env_vars={})

    def _set(self, command: list[str], *_: Any) -> None:
        """Play `pulumi config set-all`."""
        assert command[:4] == ["config", "set-all", "--stack", "t"]
        file = Path(command[command.index("--config-file") + 1])
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        document["config"] |= dict(word.split("=", 1) for word in command if "=" in word)
        file.write_text(yaml.safe_dump(document), encoding="utf-8")

    def preview(self, *, on_event: Any, config_file: str, **_: Any) -> None:
        self.config = yaml.safe_load(Path(config_file).read_text(encoding="utf-8"))["config"]
        if self._error:
            raise auto.CommandError(self._error)  # type: ignore[arg-type]
        for op, name in ((OpType.SAME, "edge-1"), (OpType.CREATE, "friday-1-new")):
            urn = f"urn:pulumi:t::friday-litellm::{CONTAINER}::{name}"
            metadata = SimpleNamespace(op=op, type=CONTAINER, urn=urn)
            on_event(SimpleNamespace(resource_pre_event=SimpleNamespace(metadata=metadata)))
        provider = SimpleNamespace(
            op=OpType.UPDATE, type=PROVIDER, urn=f"urn:pulumi:t::friday-litellm::{PROVIDER}::docker"
        )
        on_event(SimpleNamespace(resource_pre_event=SimpleNamespace(metadata=provider)))
        on_event(SimpleNamespace(resource_pre_event=None))


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = stack_file(tmp_path, {"rolloutPercentage": 10, "engine": "container"})
    monkeypatch.setattr(preview, "stack_file", lambda _: path)
    return path


def test_a_preview_has_the_new_settings_and_leaves_the_file_alone(file: Path) -> None:
    before = file.read_text()
    stack = Stack()
    assert look_ahead(stack, {"friday-litellm:rolloutPercentage": "50"}) == [  # type: ignore[arg-type]
        Change("create", CONTAINER, "friday-1-new")
    ]
    assert stack.config["friday-litellm:rolloutPercentage"] == "50"
    assert stack.config["friday-litellm:engine"] == "container"
    assert file.read_text() == before


def test_a_preview_that_fails_says_what_pulumi_said(file: Path) -> None:
    with pytest.raises(OperationError, match="the preview of t failed") as caught:
        look_ahead(Stack("noise\nerror: no such image"), {})  # type: ignore[arg-type]
    assert "error: no such image" in caught.value.details
    assert "noise" not in caught.value.details
