"""What every group of settings is made of: the strict model, and the types that more than one group uses."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic.alias_generators import to_camel


def matching(pattern: str, words: str) -> AfterValidator:
    """Return the check that a whole text is of a pattern; `words` say what is wrong with one that is not."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(words)
        return value

    return AfterValidator(check)


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("true and false are not numbers")
    return value


def _secret(value: SecretStr) -> SecretStr:
    # What goes unquoted through an HTTP header, HAProxy's and Redis' files alike.
    if not re.fullmatch(r"[A-Za-z0-9._~+/=-]{16,512}", value.get_secret_value()):
        raise ValueError(f"has {len(value)} characters, or one that is not allowed")
    return value


# Docker's reference grammar (distribution/reference): [host[:port]/]path[:tag][@sha256:digest].
_IMAGE = (
    r"(?:[a-zA-Z0-9.-]+(?::\d+)?/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
    r"(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)
Count = Annotated[int, BeforeValidator(_no_bool)]
Amount = Annotated[float, BeforeValidator(_no_bool)]
UserId = Annotated[Count, Field(ge=0, le=2**53 - 1, description="the id of a user, a whole number from 0")]
Port = Annotated[Count, Field(ge=1, le=65535, description="a port from 1 to 65535 that nothing else uses")]
Image = Annotated[
    str, matching(_IMAGE, "not an image reference"), matching(r"(?:.*/)?[^/]*:[^/]*", "without tag or digest")
]
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


def group(model: type[Settings], description: str = "a map") -> Any:
    """Return the field of a group of settings, which may be left out."""
    return Field(default_factory=model, description=description)


def between(least: float, most: float, of: str, then: str = "", *, default: float) -> Any:
    """Return the field of a number: its bounds, what it counts (`of`), and what else its description says."""
    return Field(default=default, ge=least, le=most, description=f"{of} from {least} to {most}{then}")


def memory_limit(default: int, *, at_least: int = 32) -> Any:
    """Return the field of a part's hard memory limit in MiB: its default, and the least that is accepted."""
    return between(at_least, 65536, "a memory limit", " MiB", default=default)


class PartSettings(Settings):
    """What each part may say: its image (a local build when left out) and its memory limit in MiB."""

    image: Image | None = Field(
        default=None,
        description="an image with a tag or a digest, such as registry.example/friday@sha256:<64 hex digits>",
    )
    memory_mb: Count = memory_limit(256)
