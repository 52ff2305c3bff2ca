"""What an image is made of: Debian packages, Python packages and Go modules, read from its files; nothing is run."""

import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.parser import HeaderParser
from pathlib import PurePosixPath
from typing import IO

from images import go_build

_OS_RELEASE = ("etc/os-release", "usr/lib/os-release")
_DPKG_STATUS = "var/lib/dpkg/status"
_METADATA = "*.dist-info/METADATA"
_EXECUTABLE = 0o111
_INSTALLED = "install ok installed"


@dataclass(frozen=True, order=True)
class Package:
    """One thing of a known version.

    `kind` is `debian`, `python` or `go`. `source` is the Debian source package with its version where that differs,
    `licence` an SPDX expression where the package states one, `within` the binary that holds a Go module.
    """

    kind: str
    name: str
    version: str
    architecture: str = ""
    source: tuple[str, str] | None = field(default=None, compare=False)
    licence: str = field(default="", compare=False)
    within: str = field(default="", compare=False)


@dataclass(frozen=True)
class Contents:
    """All packages of an image, each once and in order, and its distribution as `<ID>-<VERSION_ID>`."""

    distribution: str
    packages: tuple[Package, ...]


def read(root: IO[bytes]) -> Contents:
    """Read an image's root file system from an archive as `docker export` writes it, in one pass.

    ValueError when there is no list of Debian packages in it: then it is none of the images that are built here.
    """
    found: set[Package] = set()
    release: Mapping[str, str] = {}
    is_debian = False
    with tarfile.open(fileobj=root, mode="r|") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file is None:
                continue
            path = PurePosixPath(member.name)
            if member.name in _OS_RELEASE:
                release = _release(file.read().decode())
            elif member.name == _DPKG_STATUS:
                is_debian = True
                found.update(_debian(file.read().decode()))
            elif path.match(_METADATA):
                found.add(_python(file.read().decode(errors="replace")))
            elif member.mode & _EXECUTABLE and go_build.is_program(file):
                found.update(_go(str(path), file.read()))
    if not is_debian:
        raise ValueError("it has no list of Debian packages")
    return Contents(f"{release.get('ID', '')}-{release.get('VERSION_ID', '')}", tuple(sorted(found)))


def _release(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines())
    return {name: value.strip('"') for name, _, value in pairs}


def _debian(status: str) -> Iterator[Package]:
    for stanza in status.split("\n\n"):
        fields = HeaderParser().parsestr(stanza)
        if fields["Status"] == _INSTALLED:
            name, version = fields["Package"], fields["Version"]
            # "Source: name (version)" where they differ from the binary package's, else one of them or none.
            source, _, source_version = (fields["Source"] or name).partition(" ")
            origin = (source, source_version.strip("()") or version)
            yield Package("debian", name, version, fields["Architecture"], origin)


def _python(metadata: str) -> Package:
    fields = HeaderParser().parsestr(metadata)
    return Package("python", fields["Name"], fields["Version"], licence=fields["License-Expression"] or "")


def _go(path: str, program: bytes) -> Iterator[Package]:
    for name, version in go_build.modules(program):
        yield Package("go", name, version, within=path)
