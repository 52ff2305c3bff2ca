"""Official releases: taken when whole and published, refused otherwise, given up quickly."""

import hashlib
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from testing.served import served
from toolchain import download
from toolchain.download import DownloadError, Release

ARCHIVE = "tool-v1.tar.gz"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "site"
    folder.mkdir()
    with served(ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))) as server:
        yield folder, f"http://127.0.0.1:{server.server_address[1]}"


def publish(folder: Path, digest: str | None = None) -> None:
    (folder / ARCHIVE).write_bytes(b"archive")
    shown = digest or hashlib.sha256(b"archive").hexdigest()
    (folder / "sums.txt").write_text(f"{'0' * 64}  other.tar.gz\n{shown}  {ARCHIVE}\n", encoding="utf-8")


def test_takes_an_archive_whose_checksum_is_published(site: tuple[Path, str], tmp_path: Path) -> None:
    folder, base = site
    publish(folder)
    lines: list[str] = []
    archive = download.fetch(Release(base, ARCHIVE, "sums.txt"), tmp_path, lines.append)
    assert archive.read_bytes() == b"archive"
    assert lines == [f"downloading {ARCHIVE}"]


def test_refuses_another_archive_and_removes_it(site: tuple[Path, str], tmp_path: Path) -> None:
    folder, base = site
    publish(folder, digest="f" * 64)
    with pytest.raises(DownloadError, match=f"SHA-256 should be {'f' * 64}, is "):
        download.fetch(Release(base, ARCHIVE, "sums.txt"), tmp_path, print)
    assert not (tmp_path / ARCHIVE).exists()


def test_refuses_an_archive_without_a_checksum(site: tuple[Path, str], tmp_path: Path) -> None:
    folder, base = site
    publish(folder)
    (folder / "sums.txt").write_text(f"{'0' * 64}  other.tar.gz\n", encoding="utf-8")
    with pytest.raises(DownloadError, match=r"should be in sums\.txt"):
        download.fetch(Release(base, ARCHIVE, "sums.txt"), tmp_path, print)


def test_refuses_a_page_that_is_too_large(
    site: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, base = site
    publish(folder)
    monkeypatch.setattr(download, "_MAX_BYTES", 3)
    with pytest.raises(DownloadError, match="larger than"):
        download.fetch(Release(base, ARCHIVE, "sums.txt"), tmp_path, print)


def test_a_missing_release_and_a_closed_port_are_the_same_kind_of_error(site: tuple[Path, str], tmp_path: Path) -> None:
    _, base = site
    with pytest.raises(DownloadError, match="404"):
        download.fetch(Release(base, ARCHIVE, "sums.txt"), tmp_path, print)
    with pytest.raises(DownloadError, match="does not answer"):
        download.fetch(Release("http://127.0.0.1:9", ARCHIVE, "sums.txt"), tmp_path, print)
