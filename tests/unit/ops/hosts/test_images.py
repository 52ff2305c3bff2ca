"""Which images a stack needs, and what is wrong with them on a host."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.settings.hosts import SshSettings, TlsSettings
from images.tags import local_images
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts import images
from ops.hosts.image import Image
from ops.hosts.images import ImageHost, Need
from tests.unit.given import settings
from tests.unit.ops.engines import Engine, image
from toolchain import docker_endpoint
from toolchain.docker_endpoint import Endpoint

HERE = Need("friday-litellm/edge:0123456789ab", ("edge",), built_here=True)
FAR = Need("registry.example/friday@sha256:" + "0" * 64, ("friday",), built_here=False)


def host(held: dict[str, Image], registry: Any = None) -> ImageHost:
    return ImageHost("ssh://host", Engine(held, registry), "amd64")  # type: ignore[arg-type]


def problems(need: Need, at: ImageHost, built: dict[str, Image] | None = None) -> list[OperationError]:
    found = images.problems("t", [need], at, {need.reference: at.find(need.reference)}, built or {})
    assert all(problem.exit_code == EXIT_USAGE for problem in found)
    return found


def test_a_stack_needs_what_its_parts_are_made_of() -> None:
    named = "registry.example/friday@sha256:" + "0" * 64
    built = local_images()
    found = images.needs("t", settings(friday={"image": named}), built)
    assert {need.reference for need in found if need.built_here} == set(built.values()) - {built["friday"]}
    assert [need.parts for need in found if not need.built_here] == [("friday",)]


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (image(), True),
        (image("sha256:2"), True),  # what another kind of image store calls the same content
        (image("sha256:2", layers=("a", "c")), False),
        (None, False),
    ],
)
def test_an_image_is_known_by_its_id_or_its_content(other: Image | None, same: bool) -> None:
    assert image().same(other) is same


def test_what_is_there_and_the_same_is_no_problem() -> None:
    assert problems(HERE, host({HERE.reference: image()}), {HERE.reference: image()}) == []
    assert problems(FAR, host({FAR.reference: image()})) == []
    assert problems(FAR, host({})) == []


def test_missing_images_are_one_message_with_the_command() -> None:
    two = [HERE, Need("friday-litellm/redis:0123456789ab", ("redis",), built_here=True)]
    (problem,) = images.problems("t", two, host({}), {need.reference: None for need in two}, {})
    assert all(need.reference in problem.message for need in two)
    assert problem.fix == "./fridayctl images push t"


def test_another_image_of_the_same_name_is_told_with_both_ids() -> None:
    (problem,) = problems(HERE, host({HERE.reference: image("sha256:2", layers=("x",))}), {HERE.reference: image()})
    assert "is sha256:2 there and sha256:1 here" in problem.message
    assert problem.fix.startswith("./fridayctl images push t;")
    assert "name images of a registry by digest" in problem.fix


def test_a_colleagues_build_of_the_same_files_is_no_problem_and_one_of_other_files_is() -> None:
    theirs = replace(image("sha256:2", layers=("x",)), build_of=HERE.reference)
    assert problems(HERE, host({HERE.reference: theirs}), {HERE.reference: image()}) == []
    renamed = replace(theirs, build_of="friday-litellm/edge:of-other-files")
    assert len(problems(HERE, host({HERE.reference: renamed}), {HERE.reference: image()})) == 1


@pytest.mark.parametrize("held", [True, False], ids=["on the host", "in the registry"])
def test_an_image_for_another_processor_is_refused(held: bool) -> None:
    registry = {"Platforms": [{"architecture": "arm64"}, {"architecture": "s390x"}]}
    at = host({FAR.reference: image(architecture="arm64")} if held else {}, registry)
    (problem,) = problems(FAR, at)
    assert f"is for arm64{'' if held else ', s390x'}, and this host is amd64" in problem.message


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("manifest verification failed for digest sha256:0", "the registry serves something else under this digest"),
        ("write /var/lib/docker: no space left on device", "the disk of this host is full"),
        ("unauthorized: authentication required", "the registry wants a login"),
        ("manifest unknown: manifest unknown", "the registry does not have it"),
        ("dial tcp 10.0.0.1:443: i/o timeout", "the registry cannot be asked from this host"),
    ],
)
def test_what_a_registry_says_is_put_into_words(said: str, what: str) -> None:
    (problem,) = problems(FAR, host({}, said))
    assert what in problem.message
    assert said in problem.details
    with pytest.raises(OperationError, match=what):
        images.pull(FAR, host({}, said))


@pytest.mark.parametrize(
    ("reference", "asked"),
    [
        (FAR.reference, ("registry.example/friday", "sha256:" + "0" * 64)),
        ("registry.example:5000/friday:1.2", ("registry.example:5000/friday", "1.2")),
    ],
)
def test_a_pull_asks_for_exactly_the_reference(reference: str, asked: tuple[str, str]) -> None:
    at = host({})
    images.pull(Need(reference, ("friday",), built_here=False), at)
    assert at.client.pulled == [asked]


def test_a_tag_alone_is_refused_with_the_real_upstream() -> None:
    with pytest.raises(ValueError, match=r"friday\.image should end with its digest"):
        settings(upstream="openrouter", friday={"image": "registry.example/friday:1"})
    assert settings(friday={"image": "registry.example/friday:1"}).friday.image
    assert settings(upstream="openrouter", friday={"image": FAR.reference}).friday.image


@pytest.mark.parametrize(
    ("endpoint", "asked"),
    [
        (Endpoint(), ("unix:///var/run/docker.sock", None)),
        (Endpoint("ssh://u@h"), ("ssh://u@h", None)),
        (Endpoint("tcp://h:2375", tls_folder=None), ("tcp://h:2375", None)),
        (Endpoint("tcp://h:2376", tls_folder=Path("/c")), ("tcp://h:2376", "/c/ca.pem /c/cert.pem /c/key.pem")),
    ],
)
def test_the_builder_is_reached_as_docker_reaches_it(
    monkeypatch: pytest.MonkeyPatch, endpoint: Endpoint, asked: tuple[str, str | None]
) -> None:
    def connect(address: str, _: SshSettings, tls: TlsSettings | None) -> Any:
        return address, tls and f"{tls.ca_file} {tls.cert_file} {tls.key_file}"

    monkeypatch.setattr(images, "connect", connect)
    monkeypatch.setattr(docker_endpoint, "endpoint", lambda: endpoint)
    reached: list[Any] = [images.builder(endpoint), images.builder()]
    assert reached == [asked, asked]


def test_an_address_that_is_none_is_named_with_what_chose_it() -> None:
    with pytest.raises(OperationError) as caught:
        images.builder(Endpoint("bad://x", "DOCKER_HOST=bad://x", "unset DOCKER_HOST"))
    assert caught.value.message.startswith("bad://x (DOCKER_HOST=bad://x): should be unix:///path")
    assert (caught.value.fix, caught.value.exit_code) == ("unset DOCKER_HOST", EXIT_USAGE)


def test_an_image_that_lacks_a_layer_is_not_there() -> None:
    engine = Engine({"whole": image("sha256:1", layers=("a", "b")), "part": image("sha256:2", layers=("a", "c"))})
    engine.containerd, engine.api.api_version, engine.incomplete = True, "1.48", {"sha256:2"}
    at = ImageHost("ssh://host", engine, "amd64")  # type: ignore[arg-type]
    assert at.find("whole") is not None
    assert at.find("part") is None
    assert at.chains() == {("a",), ("a", "b")}


def test_a_layer_is_one_only_with_all_below_it() -> None:
    held = {"one": image("sha256:1", layers=("a", "b", "c")), "two": image("sha256:2", layers=("b", "c"))}
    assert host(held).chains() == {("a",), ("a", "b"), ("a", "b", "c"), ("b",), ("b", "c")}
