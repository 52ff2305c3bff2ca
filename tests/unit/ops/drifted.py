"""A stack and its host as stand-ins, for the tests of drift and of its repair."""

from types import SimpleNamespace
from typing import Any

from pulumi import automation as auto
from pulumi.automation.events import OpType

from ops.checks.drift import CONTAINER

PREFIX = "urn:pulumi:t::friday-litellm::friday-litellm:components:FridayStack$"
FRIDAY = "friday-1-01234567"
NETWORK = {"name": "friday-t-app", "aliases": ["friday"]}


def resource(name: str, kind: str = CONTAINER, **inputs: Any) -> dict[str, Any]:
    declared = {"name": f"friday-t-{name}", "mustRun": True, "networksAdvanced": [NETWORK]}
    return {"urn": f"{PREFIX}{kind}::{name}", "type": kind, "id": f"{name}-id", "inputs": {**declared, **inputs}}


STATE = [
    resource(FRIDAY),
    resource("redis-1"),
    resource("friday-files-01234567", mustRun=False, networksAdvanced=[]),
    {"urn": f"{PREFIX}pulumi:pulumi:Stack::t", "type": "pulumi:pulumi:Stack"},
]


class Seen:
    """A container of the host; it notes what was done to it."""

    def __init__(self, name: str, status: str = "running", networks: tuple[str, ...] = ("friday-t-app",)) -> None:
        self.id, self.name, self.status = f"{name}-id", f"friday-t-{name}", status
        self.attrs = {"State": {"ExitCode": 137}, "NetworkSettings": {"Networks": {each: {} for each in networks}}}
        self.labels: dict[str, str] = {}
        self.done: list[str] = []

    def rename(self, name: str) -> None:
        self.done.append(f"renamed {name}")

    def unpause(self) -> None:
        self.done.append("unpaused")


class Host:
    def __init__(self, *seen: Seen) -> None:
        self._seen = seen

    def containers(self, _: str) -> list[Seen]:
        return list(self._seen)

    def remove_orphans(self, _: str, known: set[str]) -> list[str]:
        return [each.name for each in self._seen if each.id not in known]

    def join(self, network: str, container: str, aliases: list[str]) -> None:
        self._of(container).done.append(f"joined {network} as {', '.join(aliases)}")

    def leave(self, network: str, container: str) -> None:
        self._of(container).done.append(f"left {network}")

    def _of(self, container: str) -> Seen:
        return next(each for each in self._seen if each.id == container)


class Stack:
    """A stack whose state is STATE; a refresh finds `steps`, or fails."""

    name = "t"
    workspace = None

    def __init__(self, *steps: Any, fails: bool = False, state: list[dict[str, Any]] | None = None) -> None:
        self._steps = steps
        self._fails = fails
        self._state = STATE if state is None else state
        self.excluded: list[str] = []
        self.program: Any = None

    def outputs(self) -> dict[str, Any]:
        return {}

    def export_stack(self) -> Any:
        return SimpleNamespace(deployment={"resources": self._state})

    def preview_refresh(self, exclude: list[str], on_event: Any, **options: Any) -> None:
        self.program = options["program"]
        assert options["run_program"] is (self.program is not None)
        self.excluded = [urn.rsplit("::", 1)[1] for urn in exclude]
        for step in self._steps:
            on_event(SimpleNamespace(diagnostic_event=None, res_outputs_event=SimpleNamespace(metadata=step)))
        if self._fails:
            said = SimpleNamespace(severity="error", message="the daemon is gone\n")
            on_event(SimpleNamespace(diagnostic_event=said, res_outputs_event=None))
            raise auto.CommandError(SimpleNamespace(code=1, stdout="", stderr="x"))  # type: ignore[arg-type]


def step(
    op: OpType, name: str, before: Any = None, now: Any = None, changed: tuple[str, ...] = (), kind: str = CONTAINER
) -> Any:
    changed = changed or tuple(key for key in now or {} if (before or {}).get(key) != (now or {})[key])
    old, new = (SimpleNamespace(outputs=values) for values in (before or {}, now or {}))
    return SimpleNamespace(
        op=op,
        type=kind,
        urn=f"{PREFIX}x::{name}",
        old=old,
        new=new,
        diffs=changed,
        detailed_diff=dict.fromkeys(changed),
    )
