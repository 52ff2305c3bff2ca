"""Reads StackSettings from a stack file or from what Pulumi hands to the program, and words every mistake."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from components.settings.encrypted import holds_secrets, plain_secrets, without_secure
from components.settings.stack import GENERATED_KEYS, SECRET_KEYS, StackSettings

NAMESPACE = "friday-litellm"
MOST_NODES = 100_000
"""Entries of a file with every anchor written out; those that people write have some hundreds."""


@dataclass(frozen=True)
class Problem:
    """One mistake: where it stands, what was expected, what was found and the fix."""

    where: str
    key: str
    expected: str
    fix: str

    def __str__(self) -> str:
        """Return the mistake and its fix, as the user reads it."""
        return f"{self.where}: {self.key}: {self.expected}\n  fix: {self.fix}"


class SettingsError(Exception):
    """The stack file cannot be used; `problems` holds every mistake found, not just the first."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


def from_stack_file(
    path: Path, generated: Mapping[str, str], to_come: Mapping[str, str] | None = None
) -> StackSettings:
    """Read `Pulumi.<stack>.yaml`; `generated` are this machine's own secrets, used with the simulator only.

    `to_come` stands in for secrets that a file for the real OpenRouter leaves out until the next update generates
    them. Encrypted values are checked for being there, not for their content.

    Raises SettingsError when the file cannot be read, does not parse or says something wrong.
    """
    stack = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fix = f"check the name and the permissions of the file, or make it from examples/ (stack {stack})"
        raise SettingsError(Problem(path.name, "file", f"should be readable ({error})", fix)) from error
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root:
            require_finite(root, {})
        document = yaml.safe_load(text)
        duplicate = next(duplicate_keys(root), None)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date that does not exist
        mark = getattr(error, "problem_mark", None)
        where = f"{path.name}:{mark.line + 1}" if mark else path.name
        said = str(getattr(error, "problem", error))
        raise SettingsError(Problem(where, "file", f"should be YAML ({said})", "fix that line")) from error
    if duplicate:
        line, key = duplicate
        raise SettingsError(
            Problem(f"{path.name}:{line}", key, "should be there once (found twice)", "delete one of the two")
        )
    config = document.get("config") or {} if isinstance(document, dict) else None
    if not isinstance(config, dict):
        raise SettingsError(
            Problem(path.name, "config", "should be a map of settings", "see examples/ for a whole file")
        )
    return _build(_Source(path.name, stack, root), config, generated, to_come or {})


def from_pulumi(config: Mapping[str, str], stack: str, generated: Mapping[str, str]) -> StackSettings:
    """Read the settings that Pulumi hands to the program: strings, JSON where they are structured.

    Raises SettingsError, as from_stack_file does.
    """
    decoded = {key: _decoded(key, value) for key, value in config.items()}
    return _build(_Source(f"Pulumi.{stack}.yaml", stack, None), decoded, generated, {})


def generated_secrets(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the secrets that set-up made on this machine, or nothing where there are none.

    The file is `secrets.json` in FRIDAY_STATE_DIR (default: .state). Raises SettingsError when it is unreadable.
    """
    path = Path(environ.get("FRIDAY_STATE_DIR", ".state")) / "secrets.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(key): str(value) for key, value in found.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        fix = "check its permissions, or delete it: ./fridayctl setup makes a new one"
        raise SettingsError(Problem(str(path), "file", f"should be readable JSON ({error})", fix)) from error


@dataclass(frozen=True)
class _Source:
    """Where settings come from: `root` is the YAML document, None when Pulumi hands them over."""

    file: str
    stack: str
    root: yaml.Node | None

    def where(self, loc: tuple[str | int, ...]) -> str:
        """Return file and line (from 1) of `config.friday-litellm:<loc>`, or of the nearest thing above it."""
        node, where = _child(self.root, "config"), self.file
        for depth, part in enumerate(loc):
            names = (f"{NAMESPACE}:{part}", str(part)) if depth == 0 else (str(part),)
            node = next((child for name in names if (child := _child(node, name))), None)
            if node is None:
                break
            where = f"{self.file}:{node.start_mark.line + 1}"
        return where


def _decoded(key: str, value: str) -> object:
    if key.removeprefix(f"{NAMESPACE}:") not in SECRET_KEYS and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _build(
    source: _Source, config: Mapping[str, Any], generated: Mapping[str, str], to_come: Mapping[str, str]
) -> StackSettings:
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for key, value in config.items():
        namespace, _, name = str(key).rpartition(":")
        if namespace == NAMESPACE:
            values[name] = without_secure(value)
            problems += _in_the_open(source, name, value) if source.root else ()
        elif namespace != "pulumi":
            fix = f"write {NAMESPACE}:{name}, or delete the line"
            problems.append(Problem(source.where((str(key),)), str(key), f"should start with {NAMESPACE}:", fix))
    left_out = generated if values.get("upstream") == "simulator" else to_come
    values = {**{key: left_out[key] for key in SECRET_KEYS if key in left_out}, **values}
    try:
        settings = StackSettings.model_validate(values)
    except ValidationError as error:
        found = error.errors()
        told = (_worded(source, detail) for detail in found if not _follows(detail, found))
        raise SettingsError(*problems, *told) from None
    if problems:
        raise SettingsError(*problems)
    return settings


def _in_the_open(source: _Source, name: str, value: object) -> Iterator[Problem]:
    """Yield a problem for each secret that stands in the file unencrypted."""
    for path in plain_secrets(name, value):
        flag = "--path " if "." in path else ""
        fix = f"pulumi config set --secret {flag}{path} -s {source.stack}, and change it: it was in the open"
        where = source.where(tuple(path.split(".")))
        yield Problem(where, f"{NAMESPACE}:{path}", "should be encrypted (found plain)", fix)


def _follows(detail: ErrorDetails, found: list[ErrorDetails]) -> bool:
    """Return whether a list is only too short because wrong entries are not counted: what is wrong is told of them."""
    start = len(detail["loc"])
    within = (each["loc"] for each in found if len(each["loc"]) > start)
    return detail["type"] == "too_short" and any(loc[:start] == detail["loc"] for loc in within)


def _worded(source: _Source, detail: ErrorDetails) -> Problem:
    loc = tuple(part for part in detail["loc"] if part != "[key]")
    path = ".".join(str(part) for part in loc)
    key = f"{NAMESPACE}:{path}".removesuffix(":")
    top, where = path.partition(".")[0], source.where(loc)
    # In a file they are encrypted, but Pulumi hands them over in plain text, whatever is wrong with what they are in.
    secret = top in SECRET_KEYS or (source.root is None and holds_secrets(top))
    if detail["type"] == "extra_forbidden":
        model = _walk(loc[:-1])[0]
        known = ", ".join(sorted(info.alias or name for name, info in model.model_fields.items())) if model else ""
        return Problem(where, key, f"is not a setting (known here: {known})", "correct the name, or delete the line")
    expected = _walk(loc)[1]
    if detail["type"] == "missing" and top in SECRET_KEYS:
        fix = f"pulumi config set --secret {top} -s {source.stack}"
        if top in GENERATED_KEYS:
            fix = f"./fridayctl up {source.stack} generates it; or {fix}"
        return Problem(where, key, f"should be {expected} (it is missing)", fix)
    if detail["type"] == "value_error" and not expected:
        return Problem(where, key, str(detail["ctx"]["error"]), f"correct it in {source.file}")
    flag = "--path " if len(loc) > 1 else ""
    fix = f"correct it in {source.file}, or: pulumi config set {flag}'{path}' VALUE -s {source.stack}"
    reason = f"; {detail['ctx']['error']}" if detail["type"] == "value_error" else ""
    value = detail["input"]
    shown = f"{len(value)} entries" if isinstance(value, list | tuple | dict) else repr(value)[:200]
    got = "missing" if detail["type"] == "missing" else "a secret, not shown" if secret else shown
    return Problem(where, key, f"should be {expected or detail['msg']} (got {got}{reason})", fix)


def _walk(loc: tuple[str | int, ...]) -> tuple[type[BaseModel] | None, str]:
    """Follow a location through the models; return the model it ends in and the last description met."""
    model: type[BaseModel] | None = StackSettings
    description = ""
    for part in loc:
        fields = model.model_fields if model else {}
        info = next((info for name, info in fields.items() if part in (name, info.alias)), None)
        if info is None:
            continue  # an index or a free key: the words of the field around it still hold
        description = info.description or ""
        model = _model_in(info.annotation)
    return model, description


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner))), None)


def duplicate_keys(root: yaml.Node | None) -> Iterator[tuple[int, str]]:
    """Yield (line, key) of every key that its map holds a second time: YAML would take the last in silence."""
    todo: list[yaml.Node] = [root] if root else []
    done: set[int] = set()  # an anchor may be named many times, also inside itself
    while todo:
        node = todo.pop()
        if id(node) in done:
            continue
        done.add(id(node))
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode):  # YAML has maps as keys; who reads it refuses them
                    if key.value in seen:
                        yield key.start_mark.line + 1, key.value
                    seen.add(key.value)
                todo.append(value)
        elif isinstance(node, yaml.SequenceNode):
            todo.extend(node.value)


def require_finite(node: yaml.Node, sizes: dict[int, int]) -> int:
    """Return the number of nodes with every anchor written out; YAMLError when there is no end to them.

    `sizes` is what is known already, by the id of a node. An anchor may name itself, or others that name others.
    """
    if id(node) not in sizes:
        sizes[id(node)] = MOST_NODES  # until it is known: who names it from inside it is endless
        children = [each for pair in node.value for each in pair] if isinstance(node, yaml.MappingNode) else node.value
        below = children if isinstance(node, yaml.CollectionNode) else ()
        sizes[id(node)] = 1 + sum(require_finite(child, sizes) for child in below)
    if sizes[id(node)] >= MOST_NODES:
        raise yaml.MarkedYAMLError(problem="an anchor that grows without end", problem_mark=node.start_mark)
    return sizes[id(node)]


def _child(node: yaml.Node | None, name: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == name), None)
    if isinstance(node, yaml.SequenceNode) and name.isdigit() and int(name) < len(node.value):
        found: yaml.Node = node.value[int(name)]
        return found
    return None
