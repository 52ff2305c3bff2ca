"""The root file system: made safely, slimmed, and cleaned up also after a failure."""

import os
import shutil
from pathlib import Path

import pytest

from images import ImageError, base, docker_cli, tags
from images.apt_sources import AptSource
from toolchain import apt, process
from toolchain.errors import SetupError

ROOTFS = tags.Image("rootfs", "")


def test_a_registry_that_answers_is_preferred(monkeypatch: pytest.MonkeyPatch) -> None:
    named: list[tuple[str, str]] = []
    monkeypatch.setattr(base, "_pull", lambda _: "")
    monkeypatch.setattr(docker_cli, "retag", lambda *names: named.append(names))
    base.ensure(ROOTFS, lambda _: None)
    assert named == [("debian:trixie-slim", tags.reference(ROOTFS))]


def test_without_registry_an_image_that_was_loaded_by_hand_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    named: list[tuple[str, str]] = []
    monkeypatch.setattr(base, "_pull", lambda _: "it does not answer")
    monkeypatch.setattr(docker_cli, "exist", lambda name: name == "debian:trixie-slim")
    monkeypatch.setattr(docker_cli, "retag", lambda *names: named.append(names))
    base.ensure(ROOTFS, lambda _: None)
    assert named == [("debian:trixie-slim", tags.reference(ROOTFS))]


def test_without_registry_and_root_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "_pull", lambda _: "it does not answer")
    monkeypatch.setattr(docker_cli, "exist", lambda _: False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ImageError, match=r"debian:trixie-slim into Docker by hand \(docker load\)"):
        base.ensure(ROOTFS, lambda _: None)


def scripts(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("suite", "known", "ending"),
    [
        ("trixie", ("trixie", "sid"), ["trixie", "/root-fs"]),
        ("forky", ("trixie", "sid"), ["forky", "/root-fs", "", "{}/sid"]),
    ],
)
def test_without_a_mirror_of_its_own_the_machine_takes_the_tools(
    suite: str, known: tuple[str, ...], ending: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "_SCRIPTS", scripts(tmp_path, *known))
    command = base._command("debootstrap", suite, None, Path("/root-fs"))
    assert command[-len(ending) :] == [word.format(tmp_path) for word in ending]
    assert f"--keyring={base._KEY_RING}" in command


@pytest.mark.parametrize(
    ("named", "served", "mirror", "configured"),
    [
        (["http://m.test/debian"], {"trixie", "trixie-security"}, "http://m.test/debian", ["trixie"]),
        (["http://m.test/debian"], {"trixie", "trixie-updates"}, "http://m.test/debian", ["trixie", "trixie-updates"]),
        (["http://m.test/debian"], set(), "", ["trixie"]),
        ([], {"trixie-updates", "trixie-security"}, "", ["trixie", "trixie-updates", "trixie-security"]),
    ],
)
def test_apt_in_the_base_asks_what_is_served(
    named: list[str],
    served: set[str],
    mirror: str,
    configured: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def made(command: list[str], *_: object, **__: object) -> None:
        assert (command[-1] if mirror else "") == mirror
        root = Path(command[command.index("trixie") + 1])
        (root / "etc/apt").mkdir(parents=True)
        (root / "etc/apt/sources.list").write_text("deb http://default.test/debian trixie main\n")

    written: list[AptSource] = []
    sources = [AptSource(uri, suite, ("main",)) for uri in named for suite in ("trixie", "trixie-updates")]
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/sbin/debootstrap")
    monkeypatch.setattr(base, "_KEY_RING", tmp_path)
    monkeypatch.setattr(apt, "install", lambda *_: None)
    monkeypatch.setattr(base, "debian_sources", lambda _: sources)
    monkeypatch.setattr(base, "is_served", lambda source: source.suite in served)
    monkeypatch.setattr(base, "_environment", dict)
    monkeypatch.setattr(process, "run", made)
    monkeypatch.setattr(base, "_configure_apt", lambda _, sources: written.extend(sources))
    for step in ("_upgrade", "_slim", "_import"):
        monkeypatch.setattr(base, step, lambda *_: None)
    base._bootstrap("ours:1", "trixie", lambda _: None)
    assert [source.suite for source in written] == configured
    assert {source.uri.removesuffix("-security") for source in written} == {mirror or "http://default.test/debian"}


@pytest.mark.parametrize("uri", ["http://m.test/debian", "https://m.test/debian"])
def test_the_base_is_made_from_the_machines_mirror(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = AptSource(uri, "trixie", ("main",), "/usr/share/keyrings/k.gpg")
    monkeypatch.setattr(base, "_SCRIPTS", scripts(tmp_path, "trixie"))
    command = base._command("debootstrap", "trixie", source, Path("/root-fs"))
    assert command[0] == "debootstrap"
    assert command[-3:] == ["trixie", "/root-fs", uri]
    assert "--components=main" in command
    assert {"--keyring=/usr/share/keyrings/k.gpg", "--force-check-gpg"} <= set(command)
    assert ("--include=ca-certificates" in command) == uri.startswith("https")


@pytest.mark.parametrize(
    ("installed", "used"),
    [({"mmdebstrap", "debootstrap"}, "mmdebstrap"), ({"debootstrap"}, "debootstrap"), (set(), "debootstrap")],
)
def test_mmdebstrap_is_used_where_it_is_installed(
    installed: set[str], used: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    apt_installed: list[str] = []
    monkeypatch.setattr(shutil, "which", lambda name: name if name in installed else None)
    monkeypatch.setattr(apt, "install", lambda packages, *_: apt_installed.extend(packages))
    assert base._tool(lambda _: None) == used
    assert apt_installed == ([] if installed else ["debootstrap"])


@pytest.mark.parametrize(
    ("last_line", "said"),
    [
        ("E: Release signed by unknown key (key id 6ED0E7B82643E131)", r"keys of Debian trixie are newer"),
        ("W: GPG error: … couldn't be verified: NO_PUBKEY 762F67A0B2C39DE4", r"keys of Debian trixie are newer"),
        ("E: Failed getting release file", r"(?s)failed with exit status 1.*Failed getting.*a mirror of Debian"),
    ],
)
def test_keys_that_this_machine_does_not_have_are_named(
    last_line: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["sh", "-c", f'echo "I: Retrieving InRelease"; echo "{last_line}" >&2; exit 1']
    monkeypatch.setattr(base, "_command", lambda *_: command)
    with pytest.raises(SetupError, match=said) as refused:
        base._make_system("debootstrap", "trixie", None, tmp_path)
    assert ("packages.debian.org/trixie/debian-archive-keyring" in refused.value.fix) == ("newer" in refused.value.what)


def test_mmdebstrap_gets_the_machines_network_options(monkeypatch: pytest.MonkeyPatch) -> None:
    option = 'Acquire::http::Proxy "http://proxy.test:3128";'
    monkeypatch.setattr(base, "network_options", lambda: f"{option}\n")
    source = AptSource("http://m.test/debian", "bookworm", ("main",))
    command = base._command("mmdebstrap", "bookworm", source, Path("/root-fs"))
    assert f"--aptopt={option}" in command
    assert "--include=usr-is-merged" in command
    assert not any("proxy" in word for word in base._command("debootstrap", "bookworm", source, Path("/root-fs")))


def test_the_scratch_tree_goes_after_a_failure() -> None:
    kept: list[Path] = []
    with pytest.raises(ImageError), base._scratch() as root:
        (root / "etc").mkdir()
        kept.append(root)
        raise ImageError("stopped")
    assert not kept[0].exists()


def test_slimming_keeps_licences_and_programs(tmp_path: Path) -> None:
    gone = ("usr/share/doc/bash/README", "usr/share/man/man1/ls.1", "etc/hostname", "var/cache/ldconfig/aux-cache")
    for name in (*gone, "usr/share/doc/bash/copyright", "usr/bin/ls"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    base._slim(tmp_path)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"usr/share/doc/bash/copyright", "usr/bin/ls"}


@pytest.mark.parametrize(
    ("script", "refusal"),
    [
        ("echo Pulling from somewhere", ""),
        ("echo 'Error: dial tcp: lookup failed' >&2; exit 1", "it does not answer"),
        ("echo 'denied: sign in' >&2; exit 1", "denied: sign in"),
        ("exec sleep 5", "no answer in time"),
    ],
)
def test_a_registry_is_given_a_moment(
    script: str, refusal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\n{script}\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(base, "_FIRST_ANSWER_SECONDS", 0.5)
    assert base._pull("debian:trixie-slim") == refusal


def test_apt_in_the_image_asks_the_same_mirror_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = tmp_path / "company.gpg"
    key.write_text("key")
    root = tmp_path / "root"
    (root / "etc/apt/apt.conf.d").mkdir(parents=True)
    monkeypatch.setattr(base, "network_options", lambda: 'Acquire::http::Proxy "http://proxy.test:3128";\n')
    base._configure_apt(root, [AptSource("http://m.test/debian", "bookworm", ("main",), str(key))])
    assert (root / "etc/apt/sources.list").read_text() == f"deb [signed-by={key}] http://m.test/debian bookworm main\n"
    assert "proxy.test" in (root / "etc/apt/apt.conf.d/80network").read_text()
    assert (root / str(key).lstrip("/")).read_text() == "key"


def test_an_https_mirror_brings_the_machines_own_authorities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authorities = tmp_path / "authorities"
    authorities.mkdir()
    (authorities / "company.crt").write_text("certificate")
    root = tmp_path / "root"
    (root / "etc/apt/apt.conf.d").mkdir(parents=True)
    ran: list[list[object]] = []
    monkeypatch.setattr(base, "network_options", lambda: "")
    monkeypatch.setattr(base, "_EXTRA_CAS", authorities)
    monkeypatch.setattr(process, "run", lambda command, *_: ran.append(command))
    base._configure_apt(root, [AptSource("https://m.test/debian", "bookworm", ("main",))])
    assert (root / str(authorities).lstrip("/") / "company.crt").read_text() == "certificate"
    assert ran == [["chroot", root, "update-ca-certificates"]]


def test_the_same_tree_makes_the_same_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the clock says and the order in which the files were made."""
    made: list[bytes] = []
    really = process.run

    def run(command: list[str], *words: str) -> None:
        if command[0] == "tar":
            really(command, *words)
        else:
            made.append(Path(command[-2]).read_bytes())

    monkeypatch.setattr(process, "run", run)
    for number, names in enumerate((["a", "b", "c"], ["c", "b", "a"])):
        root = tmp_path / f"root{number}"
        root.mkdir()
        for name in names:
            (root / name).write_text(name)
            os.utime(root / name, (2_000_000_000 + number, 2_000_000_000 + number))
        root.chmod(0o755)
        base._import(root, "ours:1")
    assert made[0] == made[1]
