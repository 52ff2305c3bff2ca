"""Make a stack file of a team's compose file: read it, check what it becomes, encrypt its secrets, write it."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from components.settings.source import NAMESPACE, Problem, SettingsError, from_stack_file
from components.settings.stack import GENERATED_KEYS, SECRET_KEYS
from ops.commands.setup import ensure_to_encrypt
from ops.compose.adoption import Adoption, adopted
from ops.compose.placement import NotPlaced
from ops.errors import EXIT_USAGE, OperationError
from ops.progress import Report
from ops.stacks.stack_file import NOT_GENERATED, stack_file


@dataclass(frozen=True)
class AdoptRequest:
    """Which compose file becomes the stack file of which stack; `service` is "" where it is to be found.

    `env_file` is None for the .env beside it. `shell` is the environment in which compose would run. With `dry_run`
    nothing is written; with `force` a stack file that is there is replaced.
    """

    compose: Path
    env_file: Path | None
    stack: str
    service: str
    shell: Mapping[str, str]
    dry_run: bool = False
    force: bool = False


@dataclass(frozen=True)
class Adopted:
    """What was found, the plain part of the stack file, and what has to be done before the first `up`."""

    adoption: Adoption
    document: str
    to_do: tuple[Problem, ...]


def adopt(request: AdoptRequest, report: Report) -> Adopted:
    """Make the stack file; OperationError or SetupError (exit code 2) before anything is written."""
    target = stack_file(request.stack)
    if target.exists() and not (request.force or request.dry_run):
        fix = "name another stack: --stack NAME; or replace it: --force"
        raise OperationError(f"{target.name} is there already", fix, EXIT_USAGE)
    found, to_do = _checked(adopted(request.compose, request.env_file, request.service, request.shell), request.stack)
    document = found.document()
    if not request.dry_run:
        from ops.stacks.new_stack_file import write_new  # noqa: PLC0415 - Pulumi loads only when needed

        ensure_to_encrypt()
        write_new(request.stack, document, found.secrets, lambda text: report("secrets", text))
    return Adopted(found, document, to_do)


def _checked(found: Adoption, stack: str) -> tuple[Adoption, tuple[Problem, ...]]:
    """Take away what the settings do not accept, and return what they still miss."""
    while True:
        problems = _problems(found, stack)
        wrong = next((problem for problem in problems if _placed(found, problem)), None)
        if wrong is None:
            return found, problems
        key, settings = _without(found.settings, _path(wrong))
        file = f"Pulumi.{stack}.yaml"
        reason = NotPlaced(key, file, wrong.expected, f"give it in {file} as docs/SETTINGS.md says, if it is wanted")
        found = replace(found, settings=settings, not_placed=(*found.not_placed, reason))


def _without(settings: dict[str, Any], path: list[str]) -> tuple[str, dict[str, Any]]:
    """Return the settings without one: of a list or map without the one entry, unless it is a command's word."""
    settings = deepcopy(settings)
    top, key, *below = path
    value = settings[top][key]
    if below and key != "command" and isinstance(value, list) and below[0].isdigit():
        shown = value.pop(int(below[0]))
        return f"{top}.{key}: {shown.get('path') if isinstance(shown, dict) else shown}", settings
    if below and isinstance(value, dict) and below[0] in value:
        value.pop(below[0])
        return f"{top}.{key}.{below[0]}", settings
    settings[top].pop(key)
    return f"{top}.{key}", settings


def _problems(found: Adoption, stack: str) -> tuple[Problem, ...]:
    """Return what the settings' own check says of the stack file, with a stand-in for each secret."""
    document = yaml.safe_load(found.document())
    config: dict[str, Any] = document["config"]
    for key in found.secrets:
        top, _, name = key.partition(".")
        stand_in = {"secure": key}
        if name:
            config.setdefault(f"{NAMESPACE}:{top}", {})[name] = stand_in
        else:
            config[f"{NAMESPACE}:{top}"] = stand_in
    with TemporaryDirectory() as folder:
        path = Path(folder) / stack_file(stack).name
        path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
        # Once as if no secret were missing: one that is would hide how the settings fit together.
        stand_ins = {key: f"{NOT_GENERATED}{key}" for key in SECRET_KEYS}
        generated = {key: stand_ins[key] for key in GENERATED_KEYS}
        return tuple(dict.fromkeys((*_said(path, stand_ins), *_said(path, generated))))


def _said(path: Path, to_come: Mapping[str, str]) -> tuple[Problem, ...]:
    try:
        from_stack_file(path, {}, to_come)
    except SettingsError as error:
        return error.problems
    return ()


def _path(problem: Problem) -> list[str]:
    return problem.key.removeprefix(f"{NAMESPACE}:").split(".")


def _placed(found: Adoption, problem: Problem) -> bool:
    path = _path(problem)
    group = found.settings.get(path[0])
    return len(path) > 1 and isinstance(group, dict) and path[1] in group
