"""Members of a tar archive as bytes, for archives that are written while they are sent."""

import tarfile
from collections.abc import Iterator
from typing import IO

_CHUNK_BYTES = 1 << 20


def header(name: str, size: int = 0, *, folder: bool = False, owner: tuple[int, int] = (0, 0)) -> bytes:
    """Return what stands before a file's content, or for a folder; `owner` is its user and group by number."""
    entry = tarfile.TarInfo(name)
    entry.size, (entry.uid, entry.gid) = size, owner
    if folder:
        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
    return entry.tobuf(tarfile.GNU_FORMAT)


def padding(size: int) -> bytes:
    """Return what stands behind a content of so many bytes; it may be empty."""
    return bytes(-size % tarfile.BLOCKSIZE)


def whole(name: str, content: bytes) -> bytes:
    """Return a file as a whole."""
    return header(name, len(content)) + content + padding(len(content))


def streamed(name: str, size: int, content: IO[bytes], owner: tuple[int, int] = (0, 0)) -> Iterator[bytes]:
    """Yield a file of so many bytes in pieces, none of which is empty: that would end what is sent."""
    yield header(name, size, owner=owner)
    while chunk := content.read(_CHUNK_BYTES):
        yield chunk
    if rest := padding(size):
        yield rest


END = bytes(2 * tarfile.BLOCKSIZE)
"""What an archive ends with."""
