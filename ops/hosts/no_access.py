"""What an image says when its user may not write where it wants to, and the settings that help."""

import re
from collections.abc import Collection, Iterable, Iterator

# Node's, Python's, Go's and a shell's words, in the C library's language of programs without a locale.
_REFUSED = re.compile(r"EACCES|EROFS|permission denied|read-only file ?system", re.IGNORECASE)
_PATH = re.compile(r"(?<![\w.:/-])/[^\s'\"\u2018\u2019`:,;)]+")
_RUNS = re.compile(r"\b(exec|spawn)\b", re.IGNORECASE)  # a program that may not be run, which no folder mends


def fix_of(lines: Iterable[str], then: str) -> str:
    """Return what to do about the first line that names a path its user may not write to, "" when there is none.

    `then` is the command that comes after that.
    """
    for line in lines:
        if _REFUSED.search(line) and not _RUNS.search(line) and (path := _PATH.search(line)):
            return (
                f"Friday's user may not write {path[0]}: name its folder in friday.writable, or in friday.user a user "
                f"who may; then {then}"
            )
    return ""


def said_by(words: str, names: Collection[str]) -> Iterator[str]:
    """Yield the lines below each container whose name begins with one of `names`, in the words of `complaint`s."""
    speaking = False
    for line in words.splitlines():
        if not line.startswith(" "):
            speaking = line.startswith(tuple(names))
        elif speaking:
            yield line
