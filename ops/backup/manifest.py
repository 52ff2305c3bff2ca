"""The manifest of a backup: what is in it, from where and when. Nothing of a backup is used before this is checked."""

import datetime as dt
import re
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.alias_generators import to_camel

FORMAT = 1
"""The form of the archive; a newer one is for newer code to read."""

PASSPHRASE, SECRETS, META = "state/passphrase", "state/secrets.json", "state/meta.yaml"
_MEMBER = re.compile(
    r"state/(passphrase|secrets\.json|meta\.yaml)"
    r"|stacks/[\w-]{1,30}/(settings\.yaml|state\.json|(history|data/[a-z-]+)/[^\0\\]+)"
)
StackName = Annotated[str, Field(pattern=r"^[\w-]{1,30}$")]


def member_of(stack: str, *parts: str) -> str:
    """Return what one of a stack's files is called in a backup."""
    return "/".join(("stacks", stack, *parts))


def settings_of(stack: str) -> str:
    """Return what a stack's file is called in a backup."""
    return member_of(stack, "settings.yaml")


def is_data(name: str) -> bool:
    """Return whether a member is a part's data, not state or settings."""
    return name.split("/")[2:3] == ["data"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Header(BaseModel):
    """The first member, which every version of this code can read."""

    product: Literal["friday-litellm"] = "friday-litellm"
    format: int = FORMAT


class SavedFile(_Model):
    """One member: its length in bytes and its SHA-256."""

    size: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class SavedData(_Model):
    """The data of one part, from its volume; `owner` is the user and group that they belong to, by number."""

    part: str = Field(pattern="^[a-z-]+$")
    host: str
    owner: tuple[int, int]


class SavedStack(_Model):
    """One stack: the `updates` of its history, and the end of the last one; `images` are those that ran then."""

    name: StackName
    updates: int
    last_update: dt.datetime | None
    data: tuple[SavedData, ...] = ()
    images: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    """What of the stack is not in the backup, in words."""


class Manifest(_Model):
    """What a backup holds. `commit` is the checkout's, "" outside of git; `pulumi` the version that wrote the state."""

    made_at: dt.datetime
    made_on: str
    commit: str
    pulumi: str
    stacks: tuple[SavedStack, ...] = Field(min_length=1)
    files: dict[str, SavedFile]

    @field_validator("files")
    @classmethod
    def _are_where_they_may_be(cls, files: dict[str, SavedFile]) -> dict[str, SavedFile]:
        for name in files:
            if not is_member(name):
                raise ValueError(f"{name!r} is no file of a backup")
        return files

    @property
    def size(self) -> int:
        """Return the bytes of all files."""
        return sum(each.size for each in self.files.values())

    def size_of(self, stack: str, part: str) -> int:
        """Return the bytes of a part's data."""
        return sum(
            each.size for name, each in self.files.items() if name.startswith(member_of(stack, "data", part, ""))
        )


def is_member(name: str) -> bool:
    """Return whether a file of a backup may have this name: known folders only, and no way out of them."""
    return _MEMBER.fullmatch(name) is not None and ".." not in name.split("/") and str(PurePosixPath(name)) == name
