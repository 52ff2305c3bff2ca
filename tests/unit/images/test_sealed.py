"""An image's id says what is in it, and not when or in which container it was built."""

import io
import json
import tarfile
from typing import Any

import pytest

from images import docker_cli, sealed, tags
from images.tags import Image

IMAGE = Image("edge", "base")


def built(layers: int, moment: str) -> dict[str, Any]:
    """Return an image as Docker's builder leaves it; `moment` is in what changes from build to build."""
    return {
        "Id": f"sha256:{moment}",
        "RepoTags": [],
        "Created": moment,
        "Architecture": "amd64",
        "Os": "linux",
        "Container": moment,
        "Config": {"Hostname": "", "Image": f"sha256:{moment}", "Cmd": ["haproxy"], "User": "10001", "Volumes": None},
        "RootFS": {"Type": "layers", "Layers": [f"sha256:{number}" for number in range(layers)]},
    }


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The images that Docker has, by name and by id, and the archives that it was given."""
    held: dict[str, Any] = {"loaded": [], "removed": []}
    monkeypatch.setattr(docker_cli, "has_containerd_store", lambda: False)
    monkeypatch.setattr(docker_cli, "inspect", lambda name: held[name])
    monkeypatch.setattr(docker_cli, "steps", lambda name: [f"friday-litellm {each}" for each in held["steps"][name]])
    monkeypatch.setattr(docker_cli, "load", held["loaded"].append)
    monkeypatch.setattr(docker_cli, "remove_unnamed", held["removed"].append)
    return held


def build(daemon: dict[str, Any], moment: str) -> None:
    # What the parent stands on is gone, as after a prune.
    for name, layers in (("base", 3), ("edge", 4)):
        daemon[tags.tag(name)] = built(layers, moment)
    daemon["steps"] = {tags.tag("base"): ["rootfs", "base", "base"]}
    sealed.seal(IMAGE)


def read(archive: bytes) -> dict[str, Any]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: json.loads(tar.extractfile(member).read()) for member in tar}  # type: ignore[union-attr]


def test_two_builds_of_the_same_layers_are_one_image(daemon: dict[str, Any]) -> None:
    build(daemon, "today")
    build(daemon, "tomorrow")
    first, second = daemon["loaded"]
    assert first == second
    assert daemon["removed"] == ["sha256:today", "sha256:tomorrow"]
    documents = read(first)
    assert documents["manifest.json"][0]["RepoTags"] == [tags.tag("edge")]
    assert documents["config.json"] == {
        "architecture": "amd64",
        "os": "linux",
        "created": "2025-08-09T00:00:00Z",
        "config": {"Cmd": ["haproxy"], "User": "10001"},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:0", "sha256:1", "sha256:2", "sha256:3"]},
        "history": [
            {"created": "2025-08-09T00:00:00Z", "created_by": f"friday-litellm {name}"}
            for name in ("rootfs", "base", "base", "edge")
        ],
    }


def test_what_stands_on_a_root_file_system_asks_it_for_the_number_of_its_layers(daemon: dict[str, Any]) -> None:
    for name, layers in (("rootfs", 1), ("base", 3)):
        daemon[tags.tag(name)] = built(layers, "today")
    sealed.seal(Image("base", "rootfs", deployed=False))
    (archive,) = daemon["loaded"]
    names = [step["created_by"] for step in read(archive)["config.json"]["history"]]
    assert names == [f"friday-litellm {name}" for name in ("rootfs", "base", "base")]


def test_the_containerd_store_keeps_the_image_as_it_was_built(
    daemon: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker_cli, "has_containerd_store", lambda: True)
    build(daemon, "today")
    assert daemon["loaded"] == []


@pytest.mark.parametrize(("names", "removed"), [([], True), (["somebody:1"], False)])
def test_what_has_another_name_is_not_removed(names: list[str], removed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def answer(*arguments: str) -> str:
        asked.append(arguments)
        return json.dumps({"RepoTags": names})

    monkeypatch.setattr(docker_cli, "_checked", answer)
    docker_cli.remove_unnamed("sha256:1")
    assert (("image", "rm", "sha256:1") in asked) == removed
