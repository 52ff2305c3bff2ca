"""What the commands do otherwise in the operator image, and on a machine that only drives others."""

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
import requests

from cli import main as cli
from cli.main import main
from images import ImageError, build
from images.tags import OPERATOR, local_images, reference
from ops.checks.preflight import facts
from ops.checks.preflight.facts import Collector
from ops.commands import push_images, setup
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts.connection import unix_error
from ops.stacks import pulumi_files, stack_file, worktree
from ops.stacks.workspace import open_workspace
from tests.unit.given import settings
from tests.unit.ops.deployed import Played
from tests.unit.ops.stacks.test_pulumi_locks import Stack, dead_pid
from toolchain import paths, process
from toolchain.errors import SetupError

FAR = settings(dockerHost="ssh://deploy@h.example")


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the stacks, which is empty."""
    folder = tmp_path / "stacks"
    folder.mkdir()
    monkeypatch.setattr(paths, "IN_OPERATOR_IMAGE", True)
    for module in (stack_file, worktree):
        monkeypatch.setattr(module, "IN_OPERATOR_IMAGE", True)
    monkeypatch.setattr(stack_file, "STACKS", folder)
    return folder


def test_commands_of_a_checkout_are_not_listed_and_say_where_they_belong(
    inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out
    assert "\n  promote " in listed
    for verb in cli._NOT_IN_THE_IMAGE:
        assert f"\n  {verb} " not in listed
        assert main([verb]) == EXIT_USAGE
        assert f"fix: ./fridayctl {verb}, in a checkout" in capsys.readouterr().err


@pytest.mark.parametrize(("others", "expected"), [([], 'docker run -v "$PWD:/stacks"'), (["prod"], "(prod)")])
def test_a_folder_without_the_stack_says_what_to_mount(others: list[str], expected: str, inside: Path) -> None:
    for name in others:
        (inside / f"Pulumi.{name}.yaml").touch()
    with pytest.raises(OperationError, match=r"there is no Pulumi\.staging\.yaml") as caught:
        stack_file.read_settings("staging")
    assert expected in caught.value.fix


def test_a_folder_without_the_project_is_named(inside: Path) -> None:
    with pytest.raises(OperationError, match=r"there is no Pulumi\.yaml") as caught:
        open_workspace(inside)
    assert caught.value.exit_code == EXIT_USAGE


@pytest.mark.usefixtures("inside")
def test_older_code_is_not_in_the_image() -> None:
    with pytest.raises(OperationError, match="the code of one commit"):
        worktree.require("0" * 40)


@pytest.mark.usefixtures("inside")
@pytest.mark.parametrize("said", ["No such file or directory", "Permission denied"])
def test_an_engine_that_is_not_reached_is_to_be_mounted(said: str) -> None:
    error = unix_error("unix:///var/run/docker.sock", requests.ConnectionError(said))
    assert "/var/run/docker.sock:/var/run/docker.sock" in error.fix


@pytest.mark.parametrize("is_inside", [True, False])
def test_a_lock_by_the_name_of_this_machine_may_be_anybodys_in_the_image(
    is_inside: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "IN_OPERATOR_IMAGE", is_inside)
    monkeypatch.setenv("PULUMI_BACKEND_URL", tmp_path.as_uri())
    folder = tmp_path / ".pulumi/locks/organization/friday-litellm/t"
    folder.mkdir(parents=True)
    (folder / "x.json").write_text(json.dumps({"pid": dead_pid(), "hostname": socket.gethostname(), "username": "u"}))
    locked = Stack()
    pulumi_files.release_dead(locked)  # type: ignore[arg-type]
    assert locked.cancelled == (0 if is_inside else 1)
    assert pulumi_files._cancel("t").startswith("docker run …" if is_inside else "eval")


@pytest.mark.parametrize(
    ("given", "is_inside", "whole"), [(settings(), False, True), (settings(), True, False), (FAR, False, False)]
)
def test_an_engine_and_images_are_made_only_for_stacks_of_this_machine(
    given: Any, is_inside: bool, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(paths, "IN_OPERATOR_IMAGE", is_inside)
    monkeypatch.setattr(setup, "run_steps", lambda steps, out=None: seen.extend(steps))
    monkeypatch.setattr(setup, "_link_toolchain", lambda: None)
    setup.ensure_for(given)
    assert [step.name for step in seen] == [step.name for step in (setup.STEPS if whole else setup.TOOLS)]


@pytest.fixture
def no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path / 'nobody.sock'}")


@pytest.mark.usefixtures("no_engine")
def test_hosts_elsewhere_are_judged_without_an_engine_here() -> None:
    assert Collector(Played(lambda: FAR), thorough=False)._builder() is None
    assert isinstance(Collector(Played(), thorough=False)._builder(), OperationError)
    held = facts.Held(present=7, compared=False)
    assert held.problems == ()


@pytest.mark.usefixtures("no_engine")
def test_images_are_listed_without_an_engine_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_images, "image_hosts", lambda _: [])
    found = push_images.availability(Played(lambda: FAR))
    assert {each.image for each in found} == set(local_images().values())
    with pytest.raises(OperationError, match="does not answer"):
        push_images.availability(Played())


def test_the_image_is_built_with_the_tools_and_its_tag_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps: list[str] = []
    monkeypatch.setattr(setup, "run_steps", lambda found: steps.extend(each.name for each in found))
    monkeypatch.setattr(build, "ensure", lambda report, wanted: report(f"building {wanted[0].name}"))
    assert main(["images", "operator"]) == 0
    shown = capsys.readouterr()
    assert steps == ["pulumi", "docker provider", "docker engine"]
    assert shown.out.strip() == reference(OPERATOR)
    assert "building operator" in shown.err


def test_an_image_that_cannot_be_built_is_a_set_up_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ImageError("tools for another system")

    monkeypatch.setattr(setup, "run_steps", lambda _: None)
    monkeypatch.setattr(build, "ensure", refuse)
    with pytest.raises(SetupError, match="another system"):
        setup.build_operator(lambda _: None)


def test_a_process_of_another_user_counts_as_one_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbidden)
    assert process.runs(1)
