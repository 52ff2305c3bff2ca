"""The machine's apt sources, in both formats, as Debian and Ubuntu write them."""

from pathlib import Path

import pytest

from images import apt_sources
from images.apt_sources import (
    AptSource,
    archives_beside,
    codename,
    debian_sources,
    is_served,
    parse_deb822,
    parse_one_line,
)
from toolchain import process

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


def machine(root: Path, codename: str, system: str = "debian", **files: str) -> Path:
    (root / "etc/apt/sources.list.d").mkdir(parents=True)
    (root / "etc/os-release").write_text(f'NAME="x"\nVERSION_CODENAME={codename}\nID={system}\n')
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


def test_the_machines_mirror_is_asked_for_another_release(tmp_path: Path) -> None:
    foreign = "deb http://node.test/repo nodistro main\ndeb http://mirror.test/debian bookworm-backports main\n"
    root = machine(
        tmp_path, "bookworm", debian_sources=DEB822, other_list=foreign, off_disabled="deb http://x.test b main"
    )
    assert [(source.uri, source.suite, source.components) for source in debian_sources("trixie", root)] == [
        ("http://mirror.test/debian", "trixie", ("main",)),
        ("http://mirror.test/debian", "trixie-updates", ("main",)),
        ("http://mirror.test/debian-security", "trixie-security", ("main",)),
    ]


def test_a_mirror_list_is_followed(tmp_path: Path) -> None:
    line = "deb mirror+file:/etc/apt/mirrors.txt bookworm main non-free-firmware\n"
    root = machine(tmp_path, "bookworm", a_list=line)
    (root / "etc/apt/mirrors.txt").write_text("http://near.test/debian/\tpriority:1\nhttp://far.test/debian/\n")
    assert debian_sources("bookworm", root) == [AptSource("http://near.test/debian", "bookworm", ("main",))]


def test_the_same_archive_named_twice_is_used_once(tmp_path: Path) -> None:
    line = "deb http://m.test/debian/ bookworm main\n"
    assert len(debian_sources("trixie", machine(tmp_path, "bookworm", a_list=line, b_list=line))) == 1


@pytest.mark.parametrize(
    ("system", "codename", "line"),
    [
        ("ubuntu", "noble", "deb http://m.test/ubuntu noble main universe\n"),
        ("debian", "bookworm", "deb http://m.test/debian trixie main\n"),
        ("debian", "bookworm", "deb http://m.test/debian bookworm-updates main\n"),
        ("debian", "bookworm", "deb cdrom:[Debian]/ bookworm main\n"),
    ],
)
def test_a_machine_that_names_no_mirror_of_its_debian(system: str, codename: str, line: str, tmp_path: Path) -> None:
    assert debian_sources("trixie", machine(tmp_path, codename, system, a_list=line)) == []


def test_a_machine_of_another_kind_names_no_mirror(tmp_path: Path) -> None:
    assert debian_sources("trixie", tmp_path) == []


def test_updates_and_security_beside_a_release() -> None:
    release = AptSource("http://m.test/debian/", "trixie", ("main",))
    assert [(source.uri, source.suite) for source in archives_beside(release)] == [
        ("http://m.test/debian/", "trixie"),
        ("http://m.test/debian/", "trixie-updates"),
        ("http://m.test/debian-security", "trixie-security"),
    ]


@pytest.mark.parametrize("answer", ["", None])
def test_apt_itself_is_asked_whether_an_archive_is_there(answer: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(process, "read", lambda command: asked.append(command) or answer)  # type: ignore[func-returns-value]
    assert is_served(AptSource("http://m.test/debian/", "forky", ("main",))) == (answer is not None)
    assert asked[0][2] == "http://m.test/debian/dists/forky/InRelease"


@pytest.mark.parametrize(
    ("told", "expected"), [("Suite: stable\nCodename: forky\n", "forky"), ("nothing", ""), (None, "")]
)
def test_apt_says_which_release_a_name_stands_for(
    told: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(command: list[str]) -> str | None:
        if told is not None:
            Path(command[3]).write_text(told)
        return told

    source = AptSource("http://m.test/debian", "stable", ("main",))
    monkeypatch.setattr(apt_sources, "debian_sources", lambda suite: [source] if suite == "stable" else [])
    monkeypatch.setattr(process, "read", read)
    assert codename("stable") == expected
    assert codename("other") == ""
