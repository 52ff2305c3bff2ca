"""The machine's apt sources, in both formats, as Debian and Ubuntu write them."""

from pathlib import Path

import pytest

from images import ImageError
from images.apt_sources import AptSource, machine_sources, parse_deb822, parse_one_line

DEB822 = """\
# written by the installer
Types: deb deb-src
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
# in the middle
Components: main
 contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.test/debian-security/
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://off.test/debian
Suites: bookworm
Components: main

Types: deb-src
URIs: http://source.test/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://flat.test/
Suites: ./
"""


def machine(root: Path, codename: str, **files: str) -> Path:
    (root / "etc/apt/sources.list.d").mkdir(parents=True)
    (root / "etc/os-release").write_text(f'NAME="x"\nVERSION_CODENAME={codename}\n')
    for name, text in files.items():
        stem, suffix = name.rsplit("_", 1)
        (root / f"etc/apt/sources.list.d/{stem}.{suffix}").write_text(text)
    return root


def test_deb822_stanzas() -> None:
    key = "/usr/share/keyrings/debian-archive-keyring.gpg"
    assert list(parse_deb822(DEB822)) == [
        AptSource("http://mirror.test/debian", "bookworm", ("main", "contrib"), key),
        AptSource("http://mirror.test/debian", "bookworm-updates", ("main", "contrib"), key),
        AptSource("http://mirror.test/debian-security/", "bookworm-security", ("main",)),
    ]


def test_an_inline_key_is_left_to_apt() -> None:
    text = (
        "Types: deb\nURIs: http://m.test/d\nSuites: s\nComponents: main\nSigned-By:\n -----BEGIN PGP-----\n .\n abc\n"
    )
    assert [source.signed_by for source in parse_deb822(text)] == [""]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "deb http://m.test/ubuntu jammy main universe",
            [AptSource("http://m.test/ubuntu", "jammy", ("main", "universe"))],
        ),
        (
            "deb [arch=amd64 signed-by=/etc/k.gpg] https://m.test/d bookworm main # note",
            [AptSource("https://m.test/d", "bookworm", ("main",), "/etc/k.gpg")],
        ),
        ("# deb http://m.test/d bookworm main", []),
        ("deb-src http://m.test/d bookworm main", []),
        ("deb http://m.test/flat ./", []),
        ("", []),
    ],
)
def test_one_line_entries(line: str, expected: list[AptSource]) -> None:
    assert list(parse_one_line(line)) == expected


def test_a_source_is_written_as_apt_reads_it() -> None:
    source = AptSource("http://m.test/d", "bookworm", ("main", "universe"), "/etc/k.gpg")
    assert list(parse_one_line(source.line())) == [source]


def test_only_the_machines_own_release_counts(tmp_path: Path) -> None:
    foreign = "deb http://node.test/repo nodistro main\ndeb http://mirror.test/debian bookworm-backports main\n"
    root = machine(
        tmp_path, "bookworm", debian_sources=DEB822, other_list=foreign, off_disabled="deb http://x.test b main"
    )
    assert [(source.uri, source.suite, source.components) for source in machine_sources(root)] == [
        ("http://mirror.test/debian", "bookworm", ("main",)),
        ("http://mirror.test/debian", "bookworm-updates", ("main",)),
        ("http://mirror.test/debian-security", "bookworm-security", ("main",)),
    ]


def test_ubuntu_keeps_universe_and_follows_a_mirror_list(tmp_path: Path) -> None:
    line = "deb mirror+file:/etc/apt/mirrors.txt noble main restricted universe\n"
    root = machine(tmp_path, "noble", ubuntu_list=line)
    (root / "etc/apt/mirrors.txt").write_text("http://near.test/ubuntu/\tpriority:1\nhttp://far.test/ubuntu/\n")
    assert machine_sources(root) == [AptSource("http://near.test/ubuntu", "noble", ("main", "universe"))]


def test_the_same_archive_named_twice_is_used_once(tmp_path: Path) -> None:
    line = "deb http://m.test/debian/ bookworm main\n"
    assert len(machine_sources(machine(tmp_path, "bookworm", a_list=line, b_list=line))) == 1


def test_a_machine_without_its_own_archive_is_told_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="expected an apt source for bookworm"):
        machine_sources(machine(tmp_path, "bookworm", x_list="deb http://m.test/debian trixie main\n"))


def test_another_system_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="VERSION_CODENAME"):
        machine_sources(tmp_path)
