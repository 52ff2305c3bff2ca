"""What an update would do, asked of Pulumi before anything changes, and said in words."""

import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pulumi import automation as auto
from pulumi.automation.events import EngineEvent, OpType

from components import edge, edge_ports, parts
from components.connection import PROVIDER
from components.friday import SIGNAL_OF_NOTHING
from components.settings.stack import StackSettings
from ops.errors import EXIT_USAGE, OperationError
from ops.rollout.gates.gate import count
from ops.stacks.stack_file import stack_file
from ops.stacks.stacks import short_name

_CONTAINER, _SERVICE = "docker:index/container:Container", "docker:index/service:Service"
_IN_PLACE = frozenset({OpType.REPLACE, OpType.CREATE_REPLACEMENT, OpType.DELETE_REPLACED})


@dataclass(frozen=True)
class Change:
    """One resource that an update would change: what is done to it, its Pulumi type and its name."""

    op: str
    kind: str
    name: str


def look_ahead(stack: auto.Stack, config: Mapping[str, str]) -> list[Change]:
    """Return what an update with these settings (full names) would change; OperationError (exit code 2) if unknown."""
    found: list[Change] = []

    def see(event: EngineEvent) -> None:
        if event.resource_pre_event:
            metadata = event.resource_pre_event.metadata
            if metadata.op is not OpType.SAME and metadata.type != PROVIDER:  # another operator's way to the host
                found.append(Change(metadata.op, metadata.type, short_name(metadata.urn)))

    with tempfile.TemporaryDirectory() as folder:
        changed = Path(shutil.copy(stack_file(stack.name), folder))
        try:
            _set(stack, config, changed)
            stack.preview(on_event=see, config_file=str(changed), suppress_progress=True)
        except auto.CommandError as error:
            said = "\n".join(line for line in str(error).splitlines() if "error" in line)
            fix = f"fix what it names, then try again; ./fridayctl status {stack.name} shows what runs"
            raise OperationError(f"the preview of {stack.name} failed", fix, EXIT_USAGE, said) from error
    return found


def _set(stack: auto.Stack, config: Mapping[str, str], file: Path) -> None:
    """Change settings in a copy of the stack file as the update will: by Pulumi, which reads YAML in its own way."""
    if config:
        words = [word for key, value in config.items() for word in ("--plaintext", f"{key}={value}")]
        command = ["config", "set-all", "--stack", stack.name, "--config-file", str(file), "--non-interactive", *words]
        stack.workspace.pulumi_command.run(command, stack.workspace.work_dir, stack.workspace.env_vars)


def in_words(changes: Iterable[Change], settings: StackSettings) -> list[str]:
    """Return a sentence for each part that changes, and one for the gap that users will see."""
    changed: dict[str, list[Change]] = {}
    for change in changes:
        if change.kind in (_CONTAINER, _SERVICE) and "-files-" not in change.name:
            changed.setdefault(re.split(r"-\d", change.name, maxsplit=1)[0], []).append(change)
    if not changed:
        return ["no container changes"]
    declared = parts.declare("any", settings, dict.fromkeys(parts.NAMES, ""))
    overlapping = {each.part for each in declared if each.replaced_by_overlap}
    said = (f"{part}: {_what(found, part in overlapping)}" for part, found in sorted(changed.items()))
    return [*said, f"expected gap: {_gap(changed, settings)}"]


def _gap(changed: Mapping[str, list[Change]], settings: StackSettings) -> str:
    """Return what users will notice; no more is promised than holds for every image."""
    names = {edge_ports.NAME: "what has the edge's ports", edge.NAME: "the edge", "friday": "Friday"}
    for part, name in names.items():
        if _replaced_in_place(changed.get(part, [])):
            return f"new requests are refused until {name} is back"
    ops = {part: {each.op for each in changed.get(part, [])} for part in (edge_ports.NAME, edge.NAME)}
    # Also in the first update of a stack whose edge had the ports itself.
    if OpType.UPDATE in ops[edge_ports.NAME] or (ops[edge_ports.NAME] and OpType.UPDATE in ops[edge.NAME]):
        return "host by host, new requests are refused until what has the edge's ports is back"
    ends_early = settings.friday.stop_signal not in (None, SIGNAL_OF_NOTHING)
    if settings.engine == "swarm" and settings.friday.image and ends_early and _go(changed.get("friday", [])):
        limit = f"{settings.friday.stop_grace_seconds} s (friday.stopGraceSeconds)"
        return f"requests that run may be cut, unless Friday's image finishes them within {limit} of the stop signal"
    limits = {"friday": settings.friday.stop_grace_seconds, "litellm": settings.litellm.stop_grace_seconds}
    # An edge that another one follows is given as long as Friday is.
    going = {"friday": [*changed.get("friday", []), *changed.get("edge", [])], "litellm": changed.get("litellm", [])}
    cut = [f"{seconds} s ({part}.stopGraceSeconds)" for part, seconds in limits.items() if _go(going[part])]
    if not cut:
        return "none"
    return f"none for requests that end within {' or '.join(cut)} once their replica is to go; longer ones are cut"


def _what(changes: list[Change], overlaps: bool) -> str:
    if changes[0].kind == _SERVICE:
        return _of_service(changes[0], overlaps)
    if _replaced_in_place(changes):
        return "is stopped and started anew"
    starts, stops = (sum(change.op == op for change in changes) for op in (OpType.CREATE, OpType.DELETE))
    if not stops:
        return f"{count(starts, 'replica')} more"
    old = "finishes what runs and goes" if stops == 1 else "finish what runs and go"
    if not starts:
        return f"{count(stops, 'replica')} less, which {old}"
    new = "the new is" if starts == 1 else "the new are"
    return f"{count(starts, 'new replica')} beside {stops} old, which {old} once {new} healthy"


def _of_service(change: Change, overlaps: bool) -> str:
    """Return what a Swarm does about a change of a service, in the order that the program declares."""
    if change.op in _IN_PLACE:
        return "is removed and made anew"
    if change.op in (OpType.CREATE, OpType.DELETE):
        return "is made" if change.op == OpType.CREATE else "is removed"
    if overlaps:
        return "new tasks start beside the old ones, which go once the new are healthy"
    return "each task is stopped before the next one starts"


def _go(changes: list[Change]) -> bool:
    """Return whether replicas go while others serve."""
    return any(
        change.op == OpType.DELETE or (change.kind == _SERVICE and change.op != OpType.CREATE) for change in changes
    )


def _replaced_in_place(changes: list[Change]) -> bool:
    return any(change.op in _IN_PLACE for change in changes)
