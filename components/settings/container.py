"""What a stack file may say of the container that an image of one's own runs in."""

import re
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from components.friday_environment import RESERVED
from components.settings.base import Count, Settings, matching

USUAL_TMPFS_MB = 64
# Mounted already: the temporary folder, the parts' own files, and what Linux itself shows there.
_TAKEN = ("/tmp", "/etc/friday", "/proc", "/sys", "/dev")  # noqa: S108 - the container's own
# Docker's own modes; their names are no networks that a container could join besides.
_MODES = ("bridge", "host", "none", "default", "ingress")
# RFC 9112: what says how long a message is and to whom it goes. The probe sets them, or there are none.
_RESERVED_HEADERS = frozenset(
    ("connection", "content-length", "expect", "host", "te", "trailer", "transfer-encoding", "upgrade")
)
_Value = TypeVar("_Value")


def _without_reserved_names(value: dict[str, _Value]) -> dict[str, _Value]:
    taken = sorted(RESERVED & value.keys())
    if taken:
        raise ValueError(f"without {', '.join(taken)}: the stack sets these itself")
    return value


def _program_first(words: tuple[str, ...]) -> tuple[str, ...]:
    if not words[0].strip():
        raise ValueError("the first word names the program")
    return words


def _no_header_is_reserved(headers: dict[str, str]) -> dict[str, str]:
    names = [name.lower() for name in headers]
    if taken := sorted(_RESERVED_HEADERS.intersection(names)):
        raise ValueError(f"without {', '.join(taken)}: the probe sets it itself")
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise ValueError(f"with {twice} once: letters large and small are the same")
    return headers


def _paths_differ(entries: "tuple[Writable, ...]") -> "tuple[Writable, ...]":
    seen: dict[str, str] = {}
    for each in entries:
        if (other := seen.setdefault(each.volume_name, each.path)) != each.path:
            raise ValueError(f"{other} and {each.path}, whose volumes would have one name")
        if [entry.path for entry in entries].count(each.path) > 1:
            raise ValueError(f"{each.path} is there twice")
    return entries


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise ValueError(f"{twice} is there twice")
    if own := next((name for name in names if name in _MODES), ""):
        raise ValueError(f"{own} is a mode of Docker's, no network to join besides")
    return names


def _is_free(path: str) -> str:
    if any(part in ("", ".", "..") for part in path[1:].split("/")):
        raise ValueError("without empty, . or .. parts, and not /")
    if taken := next((each for each in _TAKEN if path == each or path.startswith(f"{each}/")), ""):
        raise ValueError(f"{taken} is in the container already")
    return path


class Writable(Settings):
    """One folder that the container may write to."""

    path: Annotated[
        str,
        matching(r"/[A-Za-z0-9_./-]{0,199}", "it is not absolute, or has other characters"),
        AfterValidator(_is_free),
    ] = Field(description="an absolute path of letters, digits and . _ - /, such as /logs")
    kind: Literal["tmpfs", "volume"] = Field(
        description="tmpfs (in memory, gone with the container) or volume (kept until down)"
    )
    size_mb: Count | None = Field(
        default=None, ge=1, le=65536, description=f"MiB from 1 to 65536 of a tmpfs ({USUAL_TMPFS_MB} when left out)"
    )

    @property
    def volume_name(self) -> str:
        """Return what the path adds to the name of its volume."""
        return re.sub("/", "-", self.path[1:])

    @model_validator(mode="after")
    def _only_a_tmpfs_has_a_size(self) -> Self:
        if self.kind == "volume" and self.size_mb is not None:
            raise ValueError("sizeMb should be left out of a volume: it has the disk's room")
        return self


VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Z_][A-Z0-9_]*$")]
Variables = Annotated[dict[VariableName, _Value], AfterValidator(_without_reserved_names)]
Command = Annotated[
    tuple[Annotated[str, StringConstraints(max_length=4096), matching(r"[^\0]*", "a word has a NUL")], ...],
    Field(min_length=1, max_length=100),
    AfterValidator(_program_first),
]
User = Annotated[
    str, matching(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,31})?", "it is not one")
]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$")]
HeaderValue = Annotated[
    str, matching(r"[!-~]([ -~]{0,1022}[!-~])?", "not one line of ASCII characters without blanks around it")
]
Headers = Annotated[dict[HeaderName, HeaderValue], AfterValidator(_no_header_is_reserved)]
WritablePaths = Annotated[tuple[Writable, ...], Field(max_length=20), AfterValidator(_paths_differ)]
Networks = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")], ...],
    Field(max_length=10),
    AfterValidator(_each_once),
]
Signal = Literal["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH"]


def is_root(user: str) -> bool:
    """Return whether a container's user, by name or id and with or without a group, is root."""
    return user.partition(":")[0] in ("root", "0")
