"""Which Go modules a program was built of, as the Go linker writes it into the program (debug/buildinfo)."""

from collections.abc import Iterator
from io import BufferedReader
from typing import IO, cast

_ELF = b"\x7fELF"
_MAGIC = b"\xff Go buildinf:"
_ALIGNMENT = 16
_HEADER_BYTES = 32
_FLAGS_AT = 15
_INLINE = 2
"""The flag of Go 1.18 and later: version and modules follow the header, each after its length."""
_GUARD_BYTES = 16
"""The list of modules stands between two marks of this length, for programs that search memory for it."""


def is_program(file: IO[bytes]) -> bool:
    """Return whether a file is an ELF program; nothing is taken from it."""
    return cast(BufferedReader, file).peek(len(_ELF))[: len(_ELF)] == _ELF


def modules(program: bytes) -> Iterator[tuple[str, str]]:
    """Yield (module, version) of what a program is built of, Go's own library as `stdlib`; of another program nothing.

    What Debian builds names its Go alone: those packages are not built of modules.
    """
    at = _found(program)
    if at is None or not program[at + _FLAGS_AT] & _INLINE:
        return
    version, at = _text(program, at + _HEADER_BYTES)
    listed, _ = _text(program, at)
    yield "stdlib", version.decode().removeprefix("go").split(" ")[0]
    lines = [line.split("\t") for line in listed[_GUARD_BYTES:-_GUARD_BYTES].decode(errors="replace").splitlines()]
    for number, (kind, *words) in enumerate(lines):
        replaced = number + 1 < len(lines) and lines[number + 1][0] == "=>"
        if kind in ("mod", "dep", "=>") and not replaced:
            name, module_version, *_ = [*words, ""]
            if module_version.startswith("v"):  # a module of this checkout is "(devel)"
                yield name, module_version


def _found(program: bytes) -> int | None:
    at = program.find(_MAGIC)
    while at != -1 and at % _ALIGNMENT:
        at = program.find(_MAGIC, at + 1)
    return None if at == -1 else at


def _text(program: bytes, at: int) -> tuple[bytes, int]:
    """Return the text whose length, a varint, stands at a place, and the place after it."""
    length = shift = 0
    while True:
        byte = program[at]
        at += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return program[at : at + length], at + length
