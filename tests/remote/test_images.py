"""Images go to a host over ssh: what it lacks, once. A full disk or Ctrl-C leaves a host that takes the next push."""

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import docker
import pytest

from ops.hosts.image import find
from testing import remote_project
from testing.changed_friday import changed_friday
from testing.nested_host import NestedHost
from testing.project import Project
from testing.rig import Rig

pytestmark = [pytest.mark.engine, pytest.mark.beside]

PYTHON_PARTS = ("simulator", "friday")


@pytest.fixture(scope="module")
def stack(made: Rig, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A stack on the host whose edge alone is built here; it is never deployed."""
    stack = remote_project.create(tmp_path_factory.mktemp("images"), made.of(1))
    remote_project.build_the_edge_alone(stack)
    stack.fridayctl("setup")
    return stack


@pytest.fixture
def edge(stack: Project, host: NestedHost) -> str:
    """The edge's image, which the host does not hold."""
    host.remove_images()
    return stack.images()["edge"]


def push(stack: Project) -> list[dict[str, Any]]:
    pushed: list[dict[str, Any]] = json.loads(stack.fridayctl("images", "push", stack.stack, "--json").out)
    return pushed


def listed(stack: Project, image: str) -> dict[str, Any]:
    found = json.loads(stack.fridayctl("images", "list", stack.stack, "--json", code=1).out)
    (one,) = [each for each in found if each["image"] == image]
    assert isinstance(one, dict)
    return one


def announced(sending: subprocess.Popen[str]) -> str:
    """Return the line with what a push is about to send; after it the transfer begins."""
    assert sending.stdout is not None
    return next(line for line in sending.stdout if " MB to send" in line)


def is_there(host: NestedHost, image: str) -> bool:
    """Whether the host has what this machine has by that name; two kinds of image stores give it different ids."""
    here = find(docker.from_env(), image)
    return here is not None and here.same(find(host.engine, image))


def test_what_is_missing_is_sent_once(stack: Project, host: NestedHost, edge: str) -> None:
    assert listed(stack, edge)["hosts"] == {host.url: "missing"}
    (first,) = push(stack)
    assert (first["host"], first["images"]) == (host.url, [edge])
    assert first["sent_bytes"] > 50_000_000
    assert is_there(host, edge)
    assert listed(stack, edge)["hosts"] == {host.url: "present"}
    (second,) = push(stack)
    assert (second["images"], second["sent_bytes"]) == ([], 0)


def test_layers_that_a_host_has_are_not_sent(stack: Project, host: NestedHost, edge: str) -> None:
    simulator, friday = ({k: v for k, v in stack.settings[part].items() if k != "image"} for part in PYTHON_PARTS)
    with stack.configured(simulator=simulator):
        (others,) = push(stack)
    assert others["left_out_bytes"] == 0
    with changed_friday(stack) as changed, stack.configured(simulator=simulator, friday=friday):
        (pushed,) = push(stack)
        assert pushed["images"] == [changed]
        assert pushed["sent_bytes"] / (pushed["sent_bytes"] + pushed["left_out_bytes"]) <= 0.2
        assert is_there(host, changed)
        script = ["python3", "-c", "import friday.service; print('it works')"]
        assert host.run("docker", "run", "--rm", "--network=none", changed, *script) == "it works"


def test_a_layer_that_goes_meanwhile_is_sent_after_all(stack: Project, host: NestedHost, edge: str) -> None:
    host.load([stack.images()["redis"]])  # on the same base
    with subprocess.Popen(
        ["./fridayctl", "images", "push", stack.stack], cwd=stack.root, stdout=subprocess.PIPE, text=True
    ) as sending:
        assert " MB are there" in announced(sending)
        sending.send_signal(signal.SIGSTOP)
        host.remove_images()
        sending.send_signal(signal.SIGCONT)
        said, _ = sending.communicate()
    assert sending.returncode == 0
    assert f"{host.url}: not whole without them" in said
    assert is_there(host, edge)


def test_another_image_of_that_name_is_told_and_replaced(stack: Project, host: NestedHost, edge: str) -> None:
    host.run("sh", "-c", f"tar -cf - /etc/hostname | docker import - {edge}")
    assert listed(stack, edge)["hosts"] == {host.url: "other"}
    said = stack.fridayctl("up", stack.stack, code=2).err
    assert f"image {edge} (edge) is sha256:" in said
    assert f"fix: ./fridayctl images push {stack.stack}" in said
    push(stack)
    assert is_there(host, edge)


def test_a_colleagues_build_of_the_same_files_stays(stack: Project, host: NestedHost, edge: str) -> None:
    push(stack)
    script = f"made=$(docker create {edge} none) && docker commit $made {edge} && docker rm $made"  # its labels stay
    host.run("sh", "-c", script)
    theirs = host.engine.images.get(edge).id
    assert not is_there(host, edge)
    assert listed(stack, edge)["hosts"] == {host.url: "another build"}
    assert push(stack)[0]["images"] == []
    assert host.engine.images.get(edge).id == theirs
    said = stack.fridayctl("up", stack.stack, code=2).err  # for the images of others, which no registry has
    assert f"image {edge}" not in said


def test_a_missing_image_ends_an_update_before_it_changes_anything(stack: Project, host: NestedHost, edge: str) -> None:
    said = stack.fridayctl("up", stack.stack, code=2).err
    assert f"{host.url}: lacks images that this checkout builds: {edge}" in said
    assert f"fix: ./fridayctl images push {stack.stack}" in said
    assert host.inventory()["containers"] == set()


def test_a_full_disk_is_told_with_what_is_needed(stack: Project, host: NestedHost, edge: str) -> None:
    unpacked = "/var/lib/docker/tmp"
    host.run("sh", "-c", f"mkdir -p {unpacked} && mount -t tmpfs -o size=20m tmpfs {unpacked}")
    try:
        said = stack.fridayctl("images", "push", stack.stack, code=1).err
    finally:
        host.run("umount", unpacked)
    assert f"{host.url}: the disk of this host is full" in said
    assert "no space left on device" in said
    assert "fix: on that host free about " in said
    push(stack)
    assert is_there(host, edge)


def test_ctrl_c_ends_a_transfer_and_the_next_one_succeeds(
    stack: Project, host: NestedHost, edge: str, tmp_path: Path
) -> None:
    with (tmp_path / "said").open("w+") as said:
        sending = subprocess.Popen(
            # Where this runs in the background, children would else ignore the signal.
            ["env", "--default-signal=INT", "./fridayctl", "images", "push", stack.stack],
            cwd=stack.root,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )
        # Frozen as soon as it is announced, so that the transfer cannot be over.
        assert f"{host.url}: 1 of 1 images" in announced(sending)
        with host.paused():
            sending.send_signal(signal.SIGINT)
            code = sending.wait(timeout=120)
        said.seek(0)
        text = said.read()
    assert code == 130, text
    assert "interrupted" in text
    assert "Traceback" not in text
    push(stack)
    assert is_there(host, edge)
