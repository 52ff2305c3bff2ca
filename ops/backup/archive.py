"""A backup's content: written member by member, and checked as a whole before anything of it is used."""

import gzip
import hashlib
import json
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from pydantic import ValidationError

from ops.backup.manifest import FORMAT, Header, Manifest, SavedFile, is_member
from ops.backup.sealed import damaged, foreign, opening, sealing, unlock
from ops.errors import EXIT_USAGE, OperationError
from toolchain.tar_members import END, header, padding, whole

_HEADER, _MANIFEST = "backup.json", "manifest.json"
_DESCRIBES_BYTES = 64 << 20  # a manifest has a line for each file
_CHUNK_BYTES = 1 << 20
_LEVEL = 3  # the metrics are compressed already, and states shrink to a tenth at any level


class Writer:
    """Takes the members of a backup and keeps account of them."""

    def __init__(self, content: BinaryIO) -> None:
        self._content = content
        self.files: dict[str, SavedFile] = {}

    def add(self, name: str, content: bytes) -> None:
        """Add a file; ValueError for a name that no backup may hold."""
        self.add_from(name, len(content), iter((content,)))

    def add_from(self, name: str, size: int, chunks: Iterator[bytes]) -> None:
        """Add a file of so many bytes as they come; ValueError for another name, EOFError when there are too few."""
        if not is_member(name):
            raise ValueError(f"{name!r} is no file of a backup")
        digest = hashlib.sha256()
        written = 0
        self._content.write(header(name, size))
        for chunk in chunks:
            digest.update(chunk)
            written += self._content.write(chunk)
        if written != size:
            raise EOFError(name)
        self._content.write(padding(size))
        self.files[name] = SavedFile(size=size, sha256=digest.hexdigest())

    def describe(self, name: str, text: str) -> None:
        """Add what describes the backup itself."""
        self._content.write(whole(name, text.encode()))


def write(target: Path, passphrase: str, fill: Callable[[Writer], Manifest]) -> Manifest:
    """Write a backup; `fill` adds its files and returns what they are. OSError where it cannot be written."""
    with (
        sealing(target, passphrase) as sealed,
        gzip.GzipFile(fileobj=sealed, mode="wb", compresslevel=_LEVEL) as content,
    ):
        writer = Writer(content)  # type: ignore[arg-type] # typeshed: no BinaryIO, but it writes bytes
        writer.describe(_HEADER, Header().model_dump_json())
        manifest = fill(writer)
        writer.describe(_MANIFEST, manifest.model_dump_json(by_alias=True))
        content.write(END)
    return manifest


class Backup:
    """A backup that its passphrase opens; OperationError (exit code 2) for another file, or another passphrase."""

    def __init__(self, source: Path, passphrase: str) -> None:
        self.source = source
        self._identity = unlock(source, passphrase)

    def check(self) -> Manifest:
        """Read it to its end and return what it holds, when it is whole, of a known form and as it was written.

        OperationError (exit code 2) else. Nothing is written anywhere.
        """
        found: dict[str, SavedFile] = {}
        described = b""
        with self.members() as members:
            for name, content in members:
                if name == _MANIFEST:
                    described = content.read(_DESCRIBES_BYTES)
                else:
                    found[name] = _look_at(content)
        try:
            manifest = Manifest.model_validate_json(described)
        except ValidationError as error:
            where = error.errors()[0]
            said = f"{'.'.join(map(str, where['loc']))}: {where['msg']}"
            fix = "take another backup, or read this one by hand: docs/BACKUP.md"
            raise OperationError(f"{self.source}: its manifest is wrong: {said}", fix, EXIT_USAGE) from error
        if manifest.files != found:
            raise damaged(self.source)
        return manifest

    @contextmanager
    def members(self) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
        """Yield the name of each member, and what its content is read from, one after the other.

        OperationError (exit code 2) for what is no backup, a newer one, and one that is damaged.
        """
        with opening(self.source, self._identity) as sealed, _members(sealed) as members:
            name, content = next(members, ("", None))
            if name != _HEADER or content is None:
                raise foreign(self.source)
            _require_known(self.source, content.read(_DESCRIBES_BYTES))
            yield members


def _look_at(content: IO[bytes]) -> SavedFile:
    digest, size = hashlib.sha256(), 0
    while chunk := content.read(_CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
    return SavedFile(size=size, sha256=digest.hexdigest())


def _require_known(source: Path, text: bytes) -> None:
    try:
        found = Header.model_validate(json.loads(text)).format
    except ValueError as error:
        raise foreign(source) from error
    if found > FORMAT:
        fix = "git pull, then the same command again"
        message = f"{source} has format {found}, and this checkout knows {FORMAT} at most"
        raise OperationError(message, fix, EXIT_USAGE)


@contextmanager
def _members(sealed: BinaryIO) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
    with (
        gzip.GzipFile(fileobj=sealed, mode="rb") as content,
        tarfile.open(fileobj=content, mode="r|", bufsize=_CHUNK_BYTES) as archive,
    ):
        yield _files(archive)
        while content.read(_CHUNK_BYTES):  # its checksum stands at its end
            pass


def _files(archive: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield each file; tarfile.ReadError for what no backup has: anything but files, or one of them twice."""
    seen = set()
    for each in archive:
        content = archive.extractfile(each) if each.isreg() and each.name not in seen else None
        if content is None:
            raise tarfile.ReadError(each.name)
        seen.add(each.name)
        yield each.name, content
