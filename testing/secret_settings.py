"""Every secret that a stack file may hold, read off the settings' own types: a new one is in the list by itself."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, SecretStr

from components.settings.stack import StackSettings


def secret_paths(model: type[BaseModel] = StackSettings, prefix: str = "") -> Iterator[str]:
    """Yield the path of each secret as a stack file names it; of a map of secrets the map's."""
    for name, field in model.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        kinds = set(_kinds(field.annotation))
        if SecretStr in kinds:
            yield path
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from secret_paths(kind, f"{path}.")


def _kinds(annotation: Any) -> Iterator[Any]:
    """Yield a type and all that it is made of: `dict[str, SecretStr] | None` is made of four."""
    yield annotation
    for each in get_args(annotation):
        if not isinstance(each, list | str | int):
            yield from _kinds(each)
