"""Archives of images as `docker save` writes them: what is in one, and the same without layers that a host has.

Engines before 25 write a layout of their own, later ones that of OCI (with Docker's `manifest.json` beside it). What is
written here is always the second one, in which every layer is called by its digest. `docker load` looks for a layer in
its store before it wants the file: by its chain, or with containerd's store by its digest. So it takes an archive
without it.
"""

import hashlib
import json
import posixpath
import tarfile
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from urllib3.exceptions import HTTPError

from toolchain.tar_members import END, header, padding, streamed, whole

Chain = tuple[str, ...]
"""A layer, as its diff id after those of all layers below it: what it contains depends on them."""

_DESCRIBES_BYTES = 4 << 20  # registries take no larger manifest; longer files are layers, or are of no interest here
_CHUNK_BYTES = 1 << 20
_MANIFEST = "manifest.json"
_LAYOUT = "oci-layout"
_BLOBS = "blobs/sha256"
_OCI = "application/vnd.oci.image"


class ArchiveError(Exception):
    """An archive that is not complete, not the one that was surveyed, or in no known form; in words."""


@dataclass(frozen=True)
class Member:
    """A file of the builder's archive: what it is called in the one that is sent, and its bytes.

    `chains` are the layers that it holds the content of; a file that is no layer has none.
    """

    name: str
    size: int
    chains: frozenset[Chain] = frozenset()


@dataclass(frozen=True)
class Archive:
    """What an archive of images is made of: files that describe them and are made here, and members by their names."""

    made: Mapping[str, bytes]
    members: Mapping[str, Member]

    def known(self, there: Set[Chain]) -> frozenset[str]:
        """Return the members that a host with some layers does not need."""
        return frozenset(name for name, member in self.members.items() if member.chains and member.chains <= there)

    def size(self, without: Set[str] = frozenset()) -> int:
        """Return the bytes of the archive without some members."""
        made = sum(_taken(name, len(content)) for name, content in self.made.items())
        sent = sum(_taken(each.name, each.size) for name, each in self.members.items() if name not in without)
        return made + sent + len(END)

    def written(self, source: BinaryIO, without: Set[str] = frozenset()) -> Iterator[bytes]:
        """Yield the archive without some members; `source` is the builder's archive, which is read once more.

        ArchiveError when that is no longer the archive that was surveyed, or breaks off.
        """
        for name, content in self.made.items():
            yield whole(name, content)
        awaited = {name: member for name, member in self.members.items() if name not in without}
        with _opened(source) as files:
            for found, content in files:
                member = awaited.pop(found.name, None)
                if member is None:
                    continue
                if member.size != found.size:
                    raise _changed(found.name)
                yield from streamed(member.name, member.size, content)
        for name in awaited:
            raise _changed(name)
        yield END


def survey(source: BinaryIO) -> Archive:
    """Read an archive to its end and return what it is made of; ArchiveError when it is in no known form."""
    small: dict[str, bytes] = {}
    sizes: dict[str, int] = {}
    links: dict[str, str] = {}
    with _opened(source) as files:
        for found, content in files:
            if found.issym():
                links[found.name] = posixpath.normpath(posixpath.join(posixpath.dirname(found.name), found.linkname))
                continue
            sizes[found.name] = found.size
            if found.size <= _DESCRIBES_BYTES:
                small[found.name] = content.read()
    try:
        images = [_Image.of(entry, small, links) for entry in json.loads(small[_MANIFEST])]
        chains = _by_member(images)
        if _LAYOUT in small:
            members = {name: Member(name, size, chains.get(name, frozenset())) for name, size in sizes.items()}
            return Archive({}, members)
        members = {name: Member(_blob(next(iter(ends))[-1]), sizes[name], ends) for name, ends in chains.items()}
        return Archive(_described(images, members), members)
    except (KeyError, ValueError, TypeError) as error:
        raise ArchiveError(f"images are saved in a form that is not known here: {error!r}") from error


@dataclass(frozen=True)
class _Image:
    """One image of an archive: its tags, its configuration, and the members that hold its layers."""

    tags: tuple[str, ...]
    config: bytes
    diff_ids: tuple[str, ...]
    layers: tuple[str, ...]

    @classmethod
    def of(cls, entry: Mapping[str, Any], small: Mapping[str, bytes], links: Mapping[str, str]) -> "_Image":
        """Return the image that an entry of `manifest.json` describes."""
        config = small[entry["Config"]]
        diff_ids = tuple(json.loads(config)["rootfs"]["diff_ids"])
        # Engines before 25 write a layer that two images have on different ones once, and link the second.
        layers = tuple(links.get(layer, layer) for layer in entry["Layers"])
        return cls(tuple(entry["RepoTags"] or ()), config, diff_ids, layers)

    def chains(self) -> Iterator[tuple[str, Chain]]:
        """Yield each member that holds a layer, with the layer's chain."""
        for number, (layer, _) in enumerate(zip(self.layers, self.diff_ids, strict=True), start=1):
            yield layer, self.diff_ids[:number]


def _by_member(images: list[_Image]) -> dict[str, frozenset[Chain]]:
    found: dict[str, set[Chain]] = {}
    for image in images:
        for layer, chain in image.chains():
            found.setdefault(layer, set()).add(chain)
    return {layer: frozenset(chains) for layer, chains in found.items()}


def _described(images: list[_Image], members: Mapping[str, Member]) -> dict[str, bytes]:
    """Return the files that describe images in the layout of OCI; a layer's digest is its diff id there."""
    made: dict[str, bytes] = {}
    index, entries = [], []
    for image in images:
        config = _add(made, image.config)
        layers = [
            {"mediaType": f"{_OCI}.layer.v1.tar", "digest": diff_id, "size": members[layer].size}
            for diff_id, layer in zip(image.diff_ids, image.layers, strict=True)
        ]
        about = {"mediaType": f"{_OCI}.config.v1+json", "digest": config, "size": len(image.config)}
        text = _json({"schemaVersion": 2, "mediaType": f"{_OCI}.manifest.v1+json", "config": about, "layers": layers})
        manifest = {"mediaType": f"{_OCI}.manifest.v1+json", "digest": _add(made, text), "size": len(text)}
        index += [{**manifest, "annotations": _annotations(tag)} for tag in image.tags]
        paths = [_blob(each) for each in image.diff_ids]
        entries.append({"Config": _blob(config), "RepoTags": image.tags, "Layers": paths})
    made["index.json"] = _json({"schemaVersion": 2, "mediaType": f"{_OCI}.index.v1+json", "manifests": index})
    made[_MANIFEST] = _json(entries)
    made[_LAYOUT] = _json({"imageLayoutVersion": "1.0.0"})
    return made


def _annotations(tag: str) -> dict[str, str]:
    """Return by what an image store finds an image's name: the whole one, with the registry that Docker leaves out."""
    version = tag.rpartition(":")[2]
    return {"io.containerd.image.name": f"docker.io/{tag}", "org.opencontainers.image.ref.name": version}


def _add(made: dict[str, bytes], content: bytes) -> str:
    """Add a file under its digest, which is returned."""
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    made[_blob(digest)] = content
    return digest


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _blob(digest: str) -> str:
    return f"{_BLOBS}/{digest.removeprefix('sha256:')}"


@contextmanager
def _opened(source: BinaryIO) -> Iterator[Iterator[tuple[tarfile.TarInfo, Any]]]:
    """Give the files and links of an archive as it goes by, each with what its content is read from."""
    try:
        with tarfile.open(fileobj=source, mode="r|", bufsize=_CHUNK_BYTES) as archive:
            yield (
                (found, archive.extractfile(found) if found.isreg() else None)
                for found in archive
                if found.isreg() or found.issym()
            )
    except (tarfile.TarError, HTTPError) as error:
        raise ArchiveError(f"the images broke off: {error}") from error


def _taken(name: str, size: int) -> int:
    """Return the bytes that a file takes in an archive."""
    return len(header(name, size)) + size + len(padding(size))


def _changed(name: str) -> ArchiveError:
    return ArchiveError(f"an image changed while it was sent: {name}")
