"""A file that only its passphrase opens, written as it comes, by age (age-encryption.org): it notices any change.

It is a plain tar with two members: `key.json` says how scrypt makes the secret key out of the passphrase, and
`data.tar.gz.age` is encrypted for that key. So it can be opened without this project (docs/BACKUP.md). age's own way
with passphrases is not used: its library measures how much work to ask for, and a slow or busy machine then refuses
what a fast one has written.
"""

import gzip
import hashlib
import json
import os
import tarfile
import threading
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO

import pyrage
from pydantic import Base64Bytes, BaseModel, Field, ValidationError, field_validator

from ops.errors import EXIT_USAGE, OperationError
from toolchain.tar_members import END, header, padding, whole

KEY, DATA = "key.json", "data.tar.gz.age"
WORK = 1 << 17  # 128 MiB of memory and half a second for each guess
_KEY_BYTES = 64 << 10  # it is a line
_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"  # of Bech32 (BIP 173), in which age writes keys
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHUNK_BYTES = 1 << 20


class _Key(BaseModel):
    """How the passphrase becomes a key: scrypt's parameters, and nothing, encrypted for that key to try it with."""

    n: int = Field(ge=1 << 10, le=1 << 18)
    r: int = Field(8, ge=1, le=8)
    p: int = Field(1, ge=1, le=4)
    salt: Base64Bytes
    trial: Base64Bytes

    @field_validator("n")
    @classmethod
    def _is_a_power_of_two(cls, value: int) -> int:
        if value & (value - 1):  # scrypt takes no other (RFC 7914, section 2)
            raise ValueError("should be a power of two")
        return value

    def identity(self, passphrase: str) -> pyrage.x25519.Identity:
        return _identity(passphrase, self.salt, self.n, self.r, self.p)


@contextmanager
def sealing(target: Path, passphrase: str) -> Iterator[BinaryIO]:
    """Make a file with mode 0600, and yield what takes its content; OSError where it cannot be written.

    After an error it holds nothing of use, and is the caller's to remove.
    """
    salt = os.urandom(16)
    identity = _identity(passphrase, salt, WORK, 8, 1)
    trial = pyrage.encrypt(b"", [identity.to_public()])
    said = {"n": WORK, "r": 8, "p": 1, "salt": b64encode(salt).decode(), "trial": b64encode(trial).decode()}
    key = json.dumps(said).encode()
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(whole(KEY, key))
        begins = file.tell()
        file.write(header(DATA, 0))  # how long it gets shows at its end
        with _written_by(lambda content: pyrage.encrypt_io(content, file, [identity.to_public()])) as content:
            yield content
        size = file.tell() - begins - tarfile.BLOCKSIZE
        file.write(padding(size) + END)
        file.seek(begins)
        file.write(header(DATA, size))


def unlock(source: Path, passphrase: str) -> pyrage.x25519.Identity:
    """Return what opens a file that was sealed; it takes half a second, which is what makes guessing slow.

    Raises OperationError (exit code 2) for another file, or another passphrase.
    """
    with _parts(source) as (first, _):
        text = first.read()
    try:
        key = _Key.model_validate_json(text)
    except ValidationError as error:
        raise foreign(source) from error
    identity = key.identity(passphrase)
    try:
        pyrage.decrypt(key.trial, [identity])
    except pyrage.DecryptError as error:
        fix = "give the passphrase that this backup was made with; without it nobody can read it"
        raise OperationError(f"the passphrase does not open {source}", fix, EXIT_USAGE) from error
    return identity


@contextmanager
def opening(source: Path, identity: pyrage.x25519.Identity) -> Iterator[BinaryIO]:
    """Yield the content of a file that was sealed, which is read to its end.

    Raises OperationError (exit code 2) for another file, and for one that was changed or cut short: at the end of the
    block, or when that meets its broken end.
    """
    with (
        _parts(source) as (_, data),
        _read_from(source, lambda content: pyrage.decrypt_io(data, content, [identity])) as content,
    ):
        yield content


def damaged(source: Path) -> OperationError:
    """Return the error for a backup that is not as it was written."""
    fix = "copy it here again, or take another backup"
    return OperationError(f"{source} is damaged or was cut short: nothing of it was used", fix, EXIT_USAGE)


def foreign(source: Path) -> OperationError:
    """Return the error for a file that is no backup."""
    return OperationError(f"{source} is no backup", "name a file that ./fridayctl backup has written", EXIT_USAGE)


@contextmanager
def _parts(source: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Yield what reads the sealed key, and what reads the data."""
    try:
        with tarfile.open(source, "r:") as outer:
            key, data = outer.next(), outer.next()
            if not key or not data or (key.name, data.name) != (KEY, DATA) or key.size > _KEY_BYTES:
                raise foreign(source)
            first, second = outer.extractfile(key), outer.extractfile(data)
            if first is None or second is None:
                raise foreign(source)
            yield first, second
    except tarfile.TarError as error:
        raise foreign(source) from error
    except OSError as error:
        said = (error.strerror or str(error)).lower()
        raise OperationError(f"{source} cannot be read ({said})", "name a backup that is there", EXIT_USAGE) from error


class _Work(threading.Thread):
    """Work on one end of a pipe in a thread of its own; that end is closed after it, with or without an error."""

    def __init__(self, work: Callable[[BinaryIO], object], end: BinaryIO) -> None:
        super().__init__(daemon=True)
        self._work, self._end = work, end
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        """Do the work; the error is there before the other side sees the end."""
        try:
            self._work(self._end)
        except (OSError, ValueError, pyrage.DecryptError, pyrage.EncryptError) as error:
            self.error = error
        with suppress(OSError):  # what was buffered for a reader that is gone
            self._end.close()


@contextmanager
def _written_by(work: Callable[[BinaryIO], object]) -> Iterator[BinaryIO]:
    """Yield what is written to, for work that reads it; its error comes out of the block, before that of the pipe."""
    reader, writer = _pipe()
    thread = _Work(work, reader)
    try:
        with writer:
            yield writer
    except BrokenPipeError:
        if not thread.error:
            raise
    finally:
        thread.join()
    if thread.error:
        raise thread.error


@contextmanager
def _read_from(source: Path, work: Callable[[BinaryIO], object]) -> Iterator[BinaryIO]:
    """Yield what is read from, which work writes to; `damaged` when the work finds that it is."""
    reader, writer = _pipe()
    thread = _Work(work, writer)
    failed = None
    try:
        with reader:
            try:
                yield reader
                while reader.read(_CHUNK_BYTES):  # what is behind the last member counts too
                    pass
            finally:
                failed = thread.error  # before the reader goes, which is an error for the work as well
    except (EOFError, tarfile.TarError, zlib.error, gzip.BadGzipFile) as error:
        raise damaged(source) from (failed or error)
    finally:
        thread.join()
    if found := failed or thread.error:
        raise damaged(source) from found


def _pipe() -> tuple[BinaryIO, BinaryIO]:
    reader, writer = os.pipe()
    return os.fdopen(reader, "rb"), os.fdopen(writer, "wb")


def _identity(passphrase: str, salt: bytes, n: int, r: int, p: int) -> pyrage.x25519.Identity:
    secret = hashlib.scrypt(passphrase.encode(), salt=salt, n=n, r=r, p=p, maxmem=1 << 29, dklen=32)
    return pyrage.x25519.Identity.from_str(secret_key(secret))


def secret_key(secret: bytes) -> str:
    """Return 32 bytes as age's AGE-SECRET-KEY-1…, which is Bech32."""
    prefix, number = "age-secret-key-", int.from_bytes(secret, "big") << 4  # 256 bits are 51 letters and a bit
    letters = [number >> 5 * at & 31 for at in reversed(range(52))]
    expanded = [*(ord(each) >> 5 for each in prefix), 0, *(ord(each) & 31 for each in prefix)]
    check = _checksum([*expanded, *letters, *bytes(6)]) ^ 1
    letters += [check >> 5 * at & 31 for at in reversed(range(6))]
    return f"{prefix}1{''.join(_LETTERS[each] for each in letters)}".upper()


def _checksum(values: Sequence[int]) -> int:
    found = 1
    for value in values:
        top, found = found >> 25, (found & 0x1FFFFFF) << 5 ^ value
        for at, generator in enumerate(_GENERATORS):
            found ^= generator if top >> at & 1 else 0
    return found
