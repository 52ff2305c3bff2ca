"""YAML as compose reads it: version 1.2's scalars, anchors and merge keys, each key with its line."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from components.settings.source import duplicate_keys, require_finite
from ops.errors import EXIT_USAGE, OperationError

MOST_BYTES = 1 << 20
"""A compose file that people write has some kilobytes; what is much larger was given by mistake."""


class Map(dict[str, Any]):
    """A map of a YAML file that knows where it stands: `lines` are its keys' lines, from 1."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
        self.lines: dict[str, int] = {}

    def where(self, key: str = "") -> str:
        """Return file and line of a key, or of the map's first one: `compose.yml:12`."""
        line = self.lines.get(key) or min(self.lines.values(), default=0)
        return f"{self.file.name}:{line}" if line else self.file.name


def wrong(where: str, what: str, fix: str) -> OperationError:
    """Return the error for a mistake in a file (exit code 2)."""
    return OperationError(f"{where}: {what}", fix, EXIT_USAGE)


def read_text(path: Path) -> str:
    """Return a file's text without byte order mark; OperationError (exit code 2) when it cannot be read."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise wrong(str(path), f"is larger than {MOST_BYTES >> 20} MiB", "give the compose file, or its .env file")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise wrong(str(path), f"should be UTF-8 (byte {error.start} is not)", "save it as UTF-8") from error
    except OSError as error:
        said = (error.strerror or str(error)).lower()
        raise wrong(str(path), f"cannot be read ({said})", "check its name and its permissions") from error


def load(path: Path) -> Map:
    """Read a compose file; OperationError (exit code 2) with file and line when it cannot be used."""
    text = read_text(path)
    try:
        loader = _Loader(text)
        loader.file = path
        root = loader.get_single_node()
        duplicate = next(duplicate_keys(root), None)
        if root:
            require_finite(root, {})
        document = loader.construct_document(root) if root else None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path.name}:{mark.line + 1}" if mark else path.name
        said = getattr(error, "problem", None) or type(error).__name__
        raise wrong(where, f"should be YAML ({said})", "fix that line") from error
    if duplicate:
        raise wrong(f"{path.name}:{duplicate[0]}", f"{duplicate[1]} is there twice", "delete one of the two")
    if not isinstance(document, Map) or not isinstance(document.get("services"), Map):
        raise wrong(path.name, "should have a map of services", "give a compose file: `services:` with one map each")
    return document


class _Loader(yaml.SafeLoader):
    """Reads scalars as compose v2 does: `on` and `22:22` are text. So are dates and numbers such as 012 and 1_000 here.

    Compose hands those on in the words of Go (`2024-01-01 00:00:00 +0000 UTC`, `10`), which nobody means.
    """

    file: Path


_Loader.yaml_implicit_resolvers = {}


def _map(loader: _Loader, node: yaml.MappingNode) -> Iterator[Map]:
    made = Map(loader.file)
    yield made
    loader.flatten_mapping(node)
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key that is no text", key.start_mark)
        made[key.value] = loader.construct_object(value, deep=True)
        made.lines[key.value] = key.start_mark.line + 1


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?[0-9]*\.[0-9]+", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))
_Loader.add_constructor("tag:yaml.org,2002:map", _map)
