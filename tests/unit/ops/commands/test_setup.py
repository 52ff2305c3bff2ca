"""The whole set-up, and `fridayctl setup`."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.setup import setup_command
from images import ImageError, build, docker_cli, tags
from ops.commands import setup
from ops.hosts.machine import Space, ThisMachine
from tests.unit.given import SECRETS, settings
from tests.unit.toolchain import conftest
from toolchain import docker_endpoint, docker_engine, paths
from toolchain.docker_endpoint import Endpoint
from toolchain.engine_traits import Traits
from toolchain.errors import SetupError
from toolchain.local_state import LOCAL_STATE
from toolchain.runner import Report

user = conftest.user


@pytest.fixture
def link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where .toolchain goes in this test; the set-up consists of the local state only."""
    link = tmp_path / ".toolchain"
    monkeypatch.setattr(paths, "TOOLCHAIN_LINK", link)
    monkeypatch.setattr(setup, "STEPS", [LOCAL_STATE])
    return link


def test_images_come_after_the_engine() -> None:
    names = [step.name for step in setup.STEPS]
    assert names.index("images") > names.index("docker engine")
    assert names.index("docker provider") > names.index("pulumi")


def test_prints_steps_and_points_to_the_cache(link: Path) -> None:
    link.symlink_to("/an/older/cache")
    result = CliRunner().invoke(setup_command)
    assert result.exit_code == 0
    assert "ok  local state" in result.stdout
    assert "ready" in result.stdout
    assert link.readlink() == paths.toolchain_dir()
    assert "already there" in CliRunner().invoke(setup_command).stdout


def test_json_is_alone_on_stdout(link: Path) -> None:
    result = CliRunner().invoke(setup_command, ["--json"])
    [step] = json.loads(result.stdout)
    assert (step["name"], step["made"]) == ("local state", True)
    assert "local state" in result.stderr
    assert link.is_symlink()


@pytest.mark.usefixtures("link")
def test_an_error_is_an_object_for_scripts_and_an_exception_for_the_command_line() -> None:
    paths.state_dir().write_text("in the way", encoding="utf-8")
    result = CliRunner().invoke(setup_command, ["--json"])
    assert isinstance(result.exception, SetupError)
    assert json.loads(result.stdout)["error"]["where"] == str(paths.state_dir())


def test_an_image_that_cannot_be_built_is_a_set_up_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(report: Report, wanted: object) -> None:
        raise ImageError("debootstrap failed")

    monkeypatch.setattr(setup, "_lack_of_room", lambda: None)
    monkeypatch.setattr(build, "ensure", refuse)
    with pytest.raises(SetupError, match="debootstrap failed"):
        setup.IMAGES.run(print)


def test_an_update_builds_the_images_of_its_stack_only(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []
    there = set(tags.local_images()) - {"litellm", "simulator"}
    monkeypatch.setattr(docker_cli, "exist", lambda *asked: {tags.tag(name) for name in there}.issuperset(asked))
    monkeypatch.setattr(setup, "_lack_of_room", lambda: None)
    monkeypatch.setattr(build, "ensure", lambda _, wanted: built.extend(image.name for image in wanted))
    step = setup._images_of(settings(litellm={"replicas": 1}))
    assert not step.is_done()
    step.run(print)
    assert sorted(built) == ["alertmanager", "edge", "friday", "litellm", "prometheus", "simulator"]
    there.add("litellm")
    real = settings(upstream="openrouter", litellm={"replicas": 1}, **SECRETS)
    assert setup._images_of(real).is_done()


GIB = 1 << 30
CLASSIC = Traits(folder="/var/lib/docker")
CONTAINERD = Traits(folder="/var/lib/docker", containerd_store=True)


@pytest.mark.parametrize(
    ("address", "engine", "space", "refused"),
    [
        ("unix:///s", CLASSIC, Space(0, GIB), ""),
        ("unix:///s", CLASSIC, Space(0, GIB - 1), "1.0 GiB are needed"),
        ("unix:///s", CONTAINERD, Space(0, 2 * GIB), "2.2 GiB are needed, 2.0 GiB are free"),
        ("unix:///s", CONTAINERD, Space(0, 0, ("/var/lib/containerd", 3 * GIB)), ""),
        ("unix:///s", CONTAINERD, Space(9 * GIB, 9 * GIB, ("/var/lib/containerd", GIB)), "/var/lib/containerd: too"),
        ("unix:///s", CLASSIC, "not to be seen from here", ""),
        ("tcp://h:2375", CLASSIC, Space(0, 0), ""),
    ],
)
def test_images_are_built_only_where_they_have_room(
    monkeypatch: pytest.MonkeyPatch, address: str, engine: Traits, space: Space | str, refused: str
) -> None:
    built: list[bool] = []
    monkeypatch.setattr(build, "ensure", lambda *_: built.append(True))
    monkeypatch.setattr(docker_endpoint, "endpoint", lambda: Endpoint(address))
    monkeypatch.setattr(docker_engine, "traits", lambda: engine)
    monkeypatch.setattr(ThisMachine, "space", lambda *_: space)
    if not refused:
        setup.IMAGES.run(print)
    else:
        with pytest.raises(SetupError) as caught:
            setup.IMAGES.run(print)
        assert refused in str(caught.value)
        assert "docker system df" in caught.value.fix
    assert built == ([] if refused else [True])
