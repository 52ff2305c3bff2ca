"""A stack file's settings, read and written by Pulumi, which keeps its comments, its secrets and the types in it."""

import json
from collections.abc import Mapping
from pathlib import Path

from pulumi import automation as auto

from ops.errors import OperationError, unwritable
from ops.stacks.pulumi_errors import refused
from ops.stacks.stack_file import stack_file
from toolchain.files import rewrite


def settings_of(stack: auto.Stack) -> dict[str, str]:
    """Return the file's settings but secrets, maps and lists as JSON; OperationError (exit code 2) when unreadable."""
    with refused(f"{_file(stack)} cannot be read", "correct what it names: docs/SETTINGS.md has every setting"):
        return {key: value.value or "" for key, value in stack.get_all_config().items() if not value.secret}


def write_settings(stack: auto.Stack, wanted: Mapping[str, str], today: Mapping[str, str] | None = None) -> None:
    """Make the settings of the stack file `wanted`. What is equal already is not touched, nor is any secret.

    `today` is what the file says, where that has just been read. OperationError (exit code 2) when it cannot be
    written: it then says what it said before.
    """
    changed, gone = changes(settings_of(stack) if today is None else today, wanted)
    if not changed and not gone:
        return
    file = _file(stack)
    said = file.read_bytes().decode()  # with the line ends that it has
    put(file, said)  # Pulumi would cut it short where there is no room
    try:
        with refused(f"{file} cannot be written", "correct what it names, then the same command again"):
            if gone:
                stack.remove_all_config(gone)
            if changed:
                stack.set_all_config_json(as_pulumi_json(changed))
    except OperationError:
        put(file, said)
        raise


def put(file: Path, text: str) -> None:
    """Give a stack file another content, in one step; OperationError (exit code 2) when it cannot be written."""
    try:
        rewrite(file, text)
    except OSError as error:
        raise unwritable(file.parent, error) from error


def changes(today: Mapping[str, str], wanted: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return what has to be set and which keys have to go, to come from the one set of settings to the other."""
    unequal = {key: value for key, value in wanted.items() if _parsed(today.get(key)) != _parsed(value)}
    return unequal, sorted(today.keys() - wanted.keys())


def as_pulumi_json(config: Mapping[str, str]) -> str:
    """Return settings in the form of `pulumi config --json`, which keeps the types inside of maps and lists."""
    entries: dict[str, dict[str, object]] = {}
    for key, value in config.items():
        parsed = _parsed(value)
        structured = {"objectValue": parsed} if isinstance(parsed, dict | list) else {}
        entries[key] = {"value": value, "secret": False, **structured}
    return json.dumps(entries)


def _file(stack: auto.Stack) -> Path:
    """Return the stack file in the stack's own checkout, which may be one beside this one."""
    return Path(stack.workspace.work_dir) / stack_file(stack.name).name


def _parsed(value: str | None) -> object:
    if value and value[0] in "{[":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
