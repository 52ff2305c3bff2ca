"""What an image is made of, read from an archive of its files; programs of Go are made up byte for byte."""

import io
import tarfile
from collections.abc import Mapping

import pytest

from images import contents, go_build
from images.contents import Package

STATUS = """\
Package: libssl3t64
Status: install ok installed
Architecture: amd64
Source: openssl
Version: 3.5.1-1
Description: a library
 in two lines

Package: bash
Status: install ok installed
Architecture: amd64
Source: bash (5.2.37-2)
Version: 5.2.37-2+b5

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1

Package: adduser
Status: install ok installed
Architecture: all
Version: 3.152
"""
MODULES = """\
path\texample.org/tool
mod\texample.org/tool\tv1.2.3\th1:a=
dep\texample.org/one\tv0.1.0\th1:b=
dep\texample.org/old\tv0.1.0
=>\texample.org/new\tv0.2.0\th1:c=
dep\texample.org/here\tv0.0.0
=>\t./here\t(devel)\t
build\t-compiler=gc
"""


def varint(number: int) -> bytes:
    """Return a length as Go writes it: seven bits a byte, the lowest first."""
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def program(modules: str = MODULES, version: str = "go1.26.8 X:nocoverageredesign") -> bytes:
    listed = b"0" * 16 + modules.encode() + b"1" * 16
    header = b"\xff Go buildinf:" + bytes([8, 2]) + bytes(16)
    texts = b"".join(varint(len(text)) + text for text in (version.encode(), listed))
    misplaced = b"\xff Go buildinf:"  # as text of a program that looks for it, not where the linker puts it
    return (b"\x7fELF" + bytes(15) + misplaced).ljust(48, b"\0") + header + texts


def archive(files: Mapping[str, bytes | tuple[bytes, int]]) -> io.BytesIO:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("var/lib/dpkg"))
        for name, given in files.items():
            content, mode = given if isinstance(given, tuple) else (given, 0o644)
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    made.seek(0)
    return made


def test_packages_of_every_kind_are_found_once_and_in_order() -> None:
    wheel = b"Metadata-Version: 2.4\nName: httpx\nVersion: 0.28.1\nLicense-Expression: BSD-3-Clause\n\nName: not this\n"
    found = contents.read(
        archive(
            {
                "etc/os-release": b'NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="13"\n',
                "var/lib/dpkg/status": STATUS.encode(),
                "opt/venv/lib/python3.13/site-packages/httpx-0.28.1.dist-info/METADATA": wheel,
                "opt/venv/lib/python3.13/site-packages/again/httpx-0.28.1.dist-info/METADATA": wheel,
                "opt/bin/tool": (program(), 0o755),
                "opt/bin/tool.txt": program(),
                "usr/bin/script": (b"#!/bin/sh\n", 0o755),
                "usr/bin/true": (b"\x7fELF and nothing of Go", 0o755),
            }
        )
    )
    assert found.distribution == "debian-13"
    assert found.packages == (
        Package("debian", "adduser", "3.152", "all"),
        Package("debian", "bash", "5.2.37-2+b5", "amd64"),
        Package("debian", "libssl3t64", "3.5.1-1", "amd64"),
        Package("go", "example.org/new", "v0.2.0"),
        Package("go", "example.org/one", "v0.1.0"),
        Package("go", "example.org/tool", "v1.2.3"),
        Package("go", "stdlib", "1.26.8"),
        Package("python", "httpx", "0.28.1"),
    )
    assert [each.source for each in found.packages[:3]] == [
        ("adduser", "3.152"),
        ("bash", "5.2.37-2"),
        ("openssl", "3.5.1-1"),
    ]
    assert found.packages[3].within == "opt/bin/tool"
    assert found.packages[-1].licence == "BSD-3-Clause"


def test_what_is_no_debian_is_refused() -> None:
    with pytest.raises(ValueError, match="no list of Debian packages"):
        contents.read(archive({"etc/os-release": b"ID=alpine\n"}))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x7fELF",
        b"\xff Go buildinf:" + bytes([8, 0]) + bytes(64),  # of a Go before 1.18
    ],
)
def test_a_program_that_says_nothing_of_its_modules_has_none(content: bytes) -> None:
    assert list(go_build.modules(content)) == []
