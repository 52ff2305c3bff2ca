"""An archive of images is sent in one form, without the layers that a host has, and with everything else."""

import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from urllib3.exceptions import ProtocolError

from ops.hosts.image_archive import Archive, ArchiveError, survey
from tests.unit.ops.archives import Images, before_25, blob, config, digest, layer, oci, packed, unpacked

BASE, PYTHON, FRIDAY, EDGE = (
    layer(name, 3000 + number) for number, name in enumerate(["base", "python", "friday", "edge"])
)
TWO: Images = {
    "friday-litellm/friday:1": (BASE, PYTHON, FRIDAY),
    "friday-litellm/edge:1": (BASE, EDGE),
}


def compressed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


Layout = Callable[[Images], bytes]
LAYOUTS: dict[str, Layout] = {
    "before 25": before_25,
    "classic store": oci,
    "containerd store": lambda images: oci(images, compressed),
}
every_layout = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)


def surveyed(archive: bytes) -> Archive:
    return survey(io.BytesIO(archive))


def sent(archive: bytes, *there: tuple[bytes, ...]) -> dict[str, bytes]:
    """Return the files that a host is sent that has some layers; each names a layer after those below it."""
    found = surveyed(archive)
    chains = {tuple(map(digest, each[:number])) for each in there for number in range(1, len(each) + 1)}
    written = b"".join(found.written(io.BytesIO(archive), found.known(chains)))
    assert len(written) == found.size(found.known(chains))
    return unpacked(written)


def content(stored: bytes) -> bytes:
    return gzip.decompress(stored) if stored.startswith(b"\x1f\x8b") else stored


def loaded_by_chain(files: dict[str, bytes]) -> dict[str, list[bytes | None]]:
    """Return the layers of images by their tags as an engine with its own store finds them; None for one left out."""
    found = {}
    for entry in json.loads(files["manifest.json"]):
        stored = [files.get(name) for name in entry["Layers"]]
        layers = [each and content(each) for each in stored]
        diff_ids = json.loads(files[entry["Config"]])["rootfs"]["diff_ids"]
        assert all(each is None or digest(each) == diff for each, diff in zip(layers, diff_ids, strict=True))
        found[entry["RepoTags"][0]] = layers
    return found


def loaded_by_digest(files: dict[str, bytes]) -> dict[str, list[bytes | None]]:
    """Return the same as containerd's store finds them, which follows the index."""
    blobs = {digest(each): each for each in files.values()}
    found = {}
    for entry in json.loads(files["index.json"])["manifests"]:
        manifest: dict[str, Any] = json.loads(blobs[entry["digest"]])
        assert len(blobs[entry["digest"]]) == entry["size"]
        assert len(blobs[manifest["config"]["digest"]]) == manifest["config"]["size"]
        stored = [(blobs.get(each["digest"]), each["size"]) for each in manifest["layers"]]
        assert all(each is None or len(each) == size for each, size in stored)
        tag = entry["annotations"]["io.containerd.image.name"].removeprefix("docker.io/")
        found[tag] = [each and content(each) for each, _ in stored]
    return found


@every_layout
@pytest.mark.parametrize("loaded", [loaded_by_chain, loaded_by_digest])
def test_both_image_stores_find_every_layer(
    layout: Layout, loaded: Callable[[dict[str, bytes]], dict[str, list[bytes]]]
) -> None:
    assert loaded(sent(layout(TWO))) == {tag: list(layers) for tag, layers in TWO.items()}


@every_layout
@pytest.mark.parametrize("loaded", [loaded_by_chain, loaded_by_digest])
def test_only_what_is_there_is_left_out(
    layout: Layout, loaded: Callable[[dict[str, bytes]], dict[str, list[bytes | None]]]
) -> None:
    found = loaded(sent(layout(TWO), (BASE, PYTHON)))
    assert found == {"friday-litellm/friday:1": [None, None, FRIDAY], "friday-litellm/edge:1": [None, EDGE]}


@every_layout
def test_every_layer_is_called_by_its_digest(layout: Layout) -> None:
    files = sent(layout(TWO))
    assert {name for name in files if "/" in name} == {blob(each) for name, each in files.items() if "/" in name}
    assert set(files) >= {"index.json", "manifest.json", "oci-layout"}


@every_layout
def test_a_layer_is_needed_as_long_as_one_image_has_it_on_others(layout: Layout) -> None:
    images: Images = {"a:1": (BASE, FRIDAY), "b:1": (BASE, PYTHON, FRIDAY)}
    assert loaded_by_chain(sent(layout(images), (BASE, FRIDAY))) == {
        "a:1": [None, FRIDAY],
        "b:1": [None, PYTHON, FRIDAY],
    }
    everything = [(BASE, FRIDAY), (BASE, PYTHON, FRIDAY)]
    assert loaded_by_chain(sent(layout(images), *everything)) == {"a:1": [None] * 2, "b:1": [None] * 3}


def test_what_describes_an_image_is_sent_as_the_builder_has_it() -> None:
    attestation = layer("a list of all packages", 5 << 20)  # larger than what is read to understand an archive
    archive = oci(TWO, others={blob(attestation): attestation})
    left_out = {blob(BASE), blob(PYTHON)}
    wanted = {name: each for name, each in unpacked(archive).items() if name not in left_out}
    assert sent(archive, (BASE, PYTHON)) == wanted


@every_layout
def test_an_image_that_was_built_again_since_is_not_sent_to_its_end(layout: Layout) -> None:
    found = surveyed(layout(TWO))
    again = layout({**TWO, "friday-litellm/friday:1": (BASE, PYTHON, FRIDAY + b"x")})
    with pytest.raises(ArchiveError, match="an image changed while it was sent"):
        list(found.written(io.BytesIO(again)))


def test_a_layer_of_another_size_is_not_sent() -> None:
    found = surveyed(oci(TWO))
    files = {**unpacked(oci(TWO)), blob(BASE): BASE + b"x"}
    with pytest.raises(ArchiveError, match="an image changed while it was sent"):
        list(found.written(io.BytesIO(packed(files))))


@every_layout
@pytest.mark.parametrize("blocks", [0.5, 1.5, 5.5])
def test_an_archive_that_breaks_off_is_refused(layout: Layout, blocks: float) -> None:
    archive = layout(TWO)
    found, stump = surveyed(archive), archive[: int(512 * blocks)]
    with pytest.raises(ArchiveError, match=r"the images broke off|form that is not known"):
        surveyed(stump)
    with pytest.raises(ArchiveError, match=r"the images broke off|an image changed"):
        list(found.written(io.BytesIO(stump)))


def test_a_connection_that_breaks_is_put_into_words() -> None:
    class Broken(io.BytesIO):
        def read(self, _: int | None = -1) -> bytes:
            raise ProtocolError("Connection broken: IncompleteRead")

    with pytest.raises(ArchiveError, match="the images broke off: Connection broken: IncompleteRead"):
        survey(Broken())


def without(archive: bytes, name: str) -> bytes:
    return packed({each: content for each, content in unpacked(archive).items() if each != name})


@pytest.mark.parametrize(
    "archive",
    [
        without(oci(TWO), "manifest.json"),
        without(oci(TWO), blob(config(TWO["friday-litellm/edge:1"]))),
        packed({"manifest.json": b"no JSON"}),
        packed({"manifest.json": b'[{"Config": 1}]'}),
    ],
)
def test_an_unknown_form_is_refused(archive: bytes) -> None:
    with pytest.raises(ArchiveError, match="in a form that is not known here"):
        surveyed(archive)
