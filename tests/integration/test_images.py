"""Images of a registry, by digest: deployed from a real one, and each mistake told before anything changes."""

import contextlib
import io
import json
import tarfile
from collections.abc import Iterator

import pytest
from docker.errors import ImageNotFound

from testing.project import Project
from tests.integration.registry import lying_registry, registry

pytestmark = [pytest.mark.engine, pytest.mark.beside]

ZEROS = "0" * 64


@pytest.fixture(scope="module")
def pinned(project: Project) -> Iterator[str]:
    """Push an image of our own for Redis to a registry, forget it here, and yield its reference by digest."""
    with registry() as address:
        repository = f"{address}/team/redis"
        parent = project.images()["redis"]
        dockerfile = io.BytesIO(f"FROM {parent}\nLABEL of-the-team={address}\n".encode())
        image, _ = project.engine.images.build(fileobj=dockerfile, tag=f"{repository}:1", rm=True)
        for line in project.engine.images.push(repository, tag="1", stream=True, decode=True):
            assert "error" not in line
        image.reload()
        (reference,) = [each for each in image.attrs["RepoDigests"] if each.startswith(repository)]
        forget(project, reference)
        yield reference
        forget(project, reference)


def forget(project: Project, reference: str) -> None:
    """Remove an image under all its names, where the engine holds it."""
    with contextlib.suppress(ImageNotFound):
        project.engine.images.remove(str(project.engine.images.get(reference).id), force=True)


def test_an_image_by_digest_is_pulled_and_deployed(project: Project, pinned: str) -> None:
    settings = project.settings.get("redis", {})
    try:
        with project.configured(redis={**settings, "image": pinned}):
            listed = json.loads(project.fridayctl("images", "list", project.stack, "--json", code=1).out)
            (redis,) = [each for each in listed if each["parts"] == ["redis"]]
            assert (redis["image"], redis["built_here"]) == (pinned, False)
            assert set(redis["hosts"].values()) == {"missing"}

            ran = project.fridayctl("up", project.stack)
            assert f"pulling {pinned}" in ran.out
            (container,) = project.containers("redis")
            image = project.engine.images.get(pinned)
            assert container.attrs["Image"] == image.id
            assert "of-the-team" in image.labels
            assert "nothing to change" in project.fridayctl("up", project.stack).out
            project.fridayctl("verify", project.stack, "--quiet")
            project.fridayctl("images", "list", project.stack)
    finally:
        project.fridayctl("up", project.stack)


def refused(project: Project, image: str) -> str:
    """Try to deploy an image for Redis; return what was said. Nothing may change."""
    before = {container.id for container in project.everything()}
    with project.configured(redis={**project.settings.get("redis", {}), "image": image}):
        said = project.fridayctl("up", project.stack, code=2).err
    assert "Traceback" not in said
    assert said.count("fix: ") == 1
    assert {container.id for container in project.everything()} == before
    return said


def test_a_digest_that_the_registry_does_not_have(project: Project, pinned: str) -> None:
    reference = f"{pinned.partition('@')[0]}@sha256:{ZEROS}"
    assert f"image {reference}: the registry does not have it" in refused(project, reference)


def test_a_registry_that_serves_something_else_under_a_digest(project: Project) -> None:
    with lying_registry() as address:
        said = refused(project, f"{address}/team/redis@sha256:{ZEROS}")
    assert "the registry serves something else under this digest" in said


def test_a_registry_that_is_not_there(project: Project) -> None:
    said = refused(project, f"127.0.0.1:1/team/redis@sha256:{ZEROS}")
    assert "the registry cannot be asked from this host" in said


def test_an_image_for_another_processor(project: Project) -> None:
    name = "friday-of-the-team:for-s390x"
    project.engine.images.load(_foreign_image(name))
    try:
        assert f"image {name} (redis) is for s390x, and this host is " in refused(project, name)
    finally:
        forget(project, name)


def _foreign_image(name: str) -> bytes:
    """Return an archive as `docker save` writes it, of an empty image for another processor."""
    config = {"architecture": "s390x", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}, "config": {}}
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": []}]
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path, document in {"config.json": config, "manifest.json": manifest}.items():
            content = json.dumps(document).encode()
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()
