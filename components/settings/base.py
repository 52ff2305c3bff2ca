"""What every group of settings is made of: the strict model, and the types that more than one group uses."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic.alias_generators import to_camel


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("true and false are not numbers")
    return value


# Docker's reference grammar (distribution/reference): [host[:port]/]path[:tag][@sha256:digest].
_IMAGE = re.compile(
    r"(?:[a-zA-Z0-9.-]+(?::\d+)?/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
    r"(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)


def _image(value: str) -> str:
    if not _IMAGE.fullmatch(value):
        raise ValueError("not an image reference")
    if ":" not in value.rsplit("/", 1)[-1]:
        raise ValueError("without tag or digest")
    return value


Count = Annotated[int, BeforeValidator(_no_bool)]
Amount = Annotated[float, BeforeValidator(_no_bool)]
Port = Annotated[
    int, BeforeValidator(_no_bool), Field(ge=1, le=65535, description="a port from 1 to 65535 that nothing else uses")
]
Image = Annotated[str, AfterValidator(_image)]
# What goes unquoted through an HTTP header, HAProxy's and Redis' files alike.
_SECRET = re.compile(r"[A-Za-z0-9._~+/=-]{16,512}")


def _secret(value: SecretStr) -> SecretStr:
    if not _SECRET.fullmatch(value.get_secret_value()):
        raise ValueError(f"has {len(value)} characters, or one that is not allowed")
    return value


Secret = Annotated[
    SecretStr,
    AfterValidator(_secret),
    Field(description="a secret of 16 to 512 letters, digits or any of . _ ~ + / = -"),
]


class Settings(BaseModel):
    """Base of all settings: camelCase in the stack file, unknown keys refused, nothing changes afterwards."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )


def memory_limit(default: int, *, at_least: int = 32) -> Any:
    """Return the field of a part's hard memory limit in MiB: its default, and the least that is accepted."""
    return Field(default=default, ge=at_least, le=65536, description=f"a memory limit from {at_least} to 65536 MiB")


class PartSettings(Settings):
    """What each part may say: its image (a local build when left out) and its memory limit in MiB."""

    image: Image | None = Field(
        default=None,
        description="an image with a tag or a digest, such as registry.example/friday@sha256:<64 hex digits>",
    )
    memory_mb: Count = memory_limit(256)
