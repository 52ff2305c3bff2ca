"""The file of a backup: what is written comes out again, and nothing else is ever taken for it."""

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pyrage
import pytest

from ops.backup import archive, sealed
from ops.backup.archive import Backup, Writer
from ops.backup.manifest import FORMAT, Header, Manifest, SavedFile, is_member
from ops.errors import EXIT_USAGE, OperationError
from tests.unit.ops.backup.backups import FILES, PASSPHRASE, manifest_of, written
from toolchain.tar_members import END, header, padding


@pytest.fixture(autouse=True, scope="module")
def little_work() -> Iterator[None]:
    """Let scrypt take a millisecond."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed, "WORK", 1 << 10)
        yield


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("backup") / "backup.tar")


def refused(source: Path, passphrase: str = PASSPHRASE) -> str:
    """Return why a file is not taken."""
    with pytest.raises(OperationError) as caught:
        Backup(source, passphrase).check()
    assert caught.value.exit_code == EXIT_USAGE
    return caught.value.message


def test_what_is_written_comes_out_again(backup: Path) -> None:
    opened = Backup(backup, PASSPHRASE)
    manifest = opened.check()
    with opened.members() as members:
        found = {name: content.read() for name, content in members}
    assert {name: found[name] for name in manifest.files} == FILES
    assert manifest == manifest_of(manifest.files)


def test_nobody_else_reads_it(backup: Path) -> None:
    assert backup.stat().st_mode & 0o777 == 0o600
    content = backup.read_bytes()
    assert not [name for name, text in FILES.items() if len(text) > 4 and (text in content or name.encode() in content)]


def test_the_page_opens_one_by_hand(backup: Path, tmp_path: Path) -> None:
    """With age's library for `age`, and the passphrase on stdin for a terminal."""
    page = (Path(__file__).parents[4] / "docs" / "BACKUP.md").read_text(encoding="utf-8")
    script = page.partition("python3 - > key <<'END'\n")[2].partition("\nEND\n")[0]
    with tarfile.open(backup) as outer:
        first, second = (outer.extractfile(name) for name in (sealed.KEY, sealed.DATA))
        assert first
        assert second
        (tmp_path / "key.json").write_bytes(first.read())
        data = second.read()
    script = script.replace("getpass.getpass()", repr(PASSPHRASE))
    key = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    content = gzip.decompress(pyrage.decrypt(data, [pyrage.x25519.Identity.from_str(key.strip())]))
    with tarfile.open(fileobj=io.BytesIO(content)) as inner:
        assert inner.getnames() == ["backup.json", *FILES, "manifest.json"]


def test_a_secret_key_is_written_as_age_writes_it() -> None:
    for _ in range(20):
        identity = pyrage.x25519.Identity.generate()
        number = 0
        for letter in str(identity).lower().rpartition("1")[2][:-6]:
            number = number << 5 | "qpzry9x8gf2tvdw0s3jn54khce6mua7l".index(letter)
        assert sealed.secret_key((number >> 4).to_bytes(32, "big")) == str(identity)


@pytest.mark.parametrize("n", [1 << 9, 3 << 12, 1 << 30])
def test_work_that_is_too_little_or_too_much_is_not_begun(backup: Path, tmp_path: Path, n: int) -> None:
    with tarfile.open(backup) as outer:
        first = outer.extractfile(sealed.KEY)
        assert first
        key = json.dumps(json.load(first) | {"n": n}).encode()
    other = tmp_path / "b"
    data = header(sealed.DATA, 0)
    other.write_bytes(header(sealed.KEY, len(key)) + key + padding(len(key)) + data + END)
    assert refused(other) == f"{other} is no backup"


def test_another_passphrase_does_not_open_it(backup: Path) -> None:
    assert refused(backup, "another passphrase") == f"the passphrase does not open {backup}"


@pytest.mark.parametrize("share", [0.7, 0.9, 0.999])
def test_one_that_was_cut_short_is_refused(backup: Path, tmp_path: Path, share: float) -> None:
    cut = tmp_path / "cut.tar"
    content = backup.read_bytes().rstrip(b"\0")
    cut.write_bytes(content[: int(len(content) * share)])
    assert "damaged or was cut short" in refused(cut)


def test_one_with_a_changed_byte_is_refused(backup: Path, tmp_path: Path) -> None:
    changed, content = tmp_path / "changed.tar", bytearray(backup.read_bytes().rstrip(b"\0"))
    content[-5] ^= 1
    changed.write_bytes(content)
    assert "damaged or was cut short" in refused(changed)


@pytest.mark.parametrize(
    "content", [b"", b"hello\n", bytes(2048), gzip.compress(b"x"), END], ids=["empty", "text", "zeros", "gzip", "tar"]
)
def test_another_file_is_no_backup(tmp_path: Path, content: bytes) -> None:
    other = tmp_path / "other"
    other.write_bytes(content)
    assert refused(other) == f"{other} is no backup"


def test_another_tar_is_no_backup(tmp_path: Path) -> None:
    other = tmp_path / "other.tar"
    with tarfile.open(other, "w") as tar:
        tar.add(__file__, arcname=sealed.KEY)
    assert refused(other) == f"{other} is no backup"


@pytest.mark.parametrize("name", ["gone", "."])
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str) -> None:
    assert "cannot be read" in refused(tmp_path / name)


def test_a_newer_one_is_for_newer_code(tmp_path: Path) -> None:
    newer = json.dumps({"product": "friday-litellm", "format": FORMAT + 1, "more": 1}).encode()
    made = sealed_members(tmp_path / "b", [("backup.json", newer)])
    assert f"has format {FORMAT + 1}, and this checkout knows {FORMAT}" in refused(made)


@pytest.mark.parametrize("first", [[], [("backup.json", b"{")], [("backup.json", b"[1]")], [("manifest.json", b"{}")]])
def test_what_is_sealed_may_be_something_else(tmp_path: Path, first: list[tuple[str, bytes]]) -> None:
    made = sealed_members(tmp_path / "b", first)
    assert refused(made) == f"{made} is no backup"


def test_a_wrong_manifest_is_refused_by_name(tmp_path: Path) -> None:
    made = sealed_members(tmp_path / "b", [_HEAD, ("manifest.json", b'{"madeAt": "today"}')])
    assert "its manifest is wrong: " in refused(made)


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found | {"stacks/t/history/more": found["state/passphrase"]},
        lambda found: {name: each for name, each in found.items() if name != "state/passphrase"},
        lambda found: found | {"state/passphrase": found["stacks/t/state.json"]},
    ],
    ids=["one too few", "one too many", "another content"],
)
def test_files_are_those_of_the_manifest(tmp_path: Path, change: Callable[..., dict[str, SavedFile]]) -> None:
    def fill(writer: Writer) -> Manifest:
        for name, content in FILES.items():
            writer.add(name, content)
        return manifest_of(change(dict(writer.files)))

    archive.write(tmp_path / "b", PASSPHRASE, fill)
    assert "damaged" in refused(tmp_path / "b")


def test_a_file_is_there_once(tmp_path: Path) -> None:
    made = sealed_members(tmp_path / "b", [_HEAD, ("state/passphrase", b"1"), ("state/passphrase", b"2")])
    assert "damaged" in refused(made)


@pytest.mark.parametrize(
    "name",
    [
        *("/etc/hostname", "../up", "state/../up", "stacks/t/history/../../up", "stacks/t/data/prometheus/../../up"),
        *("state/other", "stacks/t/other", "stacks/t/history/", "stacks/t/history//a", "stacks/t/history/./a"),
        *("stacks/../settings.yaml", "stacks//settings.yaml", "stacks/t/history/a\0", "stacks/t/history/a\\b", ""),
    ],
)
def test_no_name_leads_out(tmp_path: Path, name: str) -> None:
    assert not is_member(name)
    with pytest.raises(ValueError, match="is no file of a backup"):
        archive.write(tmp_path / "b", PASSPHRASE, lambda writer: writer.add(name, b""))  # type: ignore[arg-type,return-value]
    if "\0" not in name:
        listed = manifest_of({}).model_dump_json(by_alias=True)
        document = json.loads(listed) | {"files": {name: {"size": 0, "sha256": "0" * 64}}}
        made = sealed_members(
            tmp_path / "c", [_HEAD, (name or "x", b""), ("manifest.json", json.dumps(document).encode())]
        )
        assert "is no file of a backup" in refused(made)


def test_a_file_that_shrinks_is_noticed(tmp_path: Path) -> None:
    def fill(writer: Writer) -> Manifest:
        writer.add_from("state/passphrase", 5, iter((b"four",)))
        return manifest_of({})

    with pytest.raises(EOFError):
        archive.write(tmp_path / "b", PASSPHRASE, fill)


def test_a_full_disk_is_an_error_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = {"open": lambda *_: os.open("/dev/full", os.O_WRONLY)}
    monkeypatch.setattr(sealed, "os", SimpleNamespace(**{**vars(os), **full}))
    with pytest.raises(OSError, match="No space left"), sealed.sealing(tmp_path / "b", PASSPHRASE) as content:
        content.write(os.urandom(1 << 20))


_HEAD = ("backup.json", Header().model_dump_json().encode())


def sealed_members(target: Path, members: list[tuple[str, bytes]]) -> Path:
    """Write a backup of any members, as nobody without its passphrase can."""
    with sealed.sealing(target, PASSPHRASE) as content:
        text = b"".join(header(name, len(each)) + each + padding(len(each)) for name, each in members)
        content.write(gzip.compress(text + END))
    return target
