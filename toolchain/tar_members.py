"""Members of a tar archive as bytes, for archives that are written while they are sent."""

import tarfile


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


END = bytes(2 * tarfile.BLOCKSIZE)
"""What an archive ends with."""
