"""What the program declares, recorded by Pulumi's mocks instead of being made."""

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Any

import pulumi

from components import grafana, parts
from components.settings.stack import StackSettings
from components.stack import FridayStack
from components.surroundings import Surroundings

PARTS = tuple(name for name in parts.NAMES if name != grafana.NAME)
"""Those that a stack has without naming an image."""
IMAGES = {part: f"friday-litellm/{part}:0123456789ab" for part in PARTS}
CONTAINER = "docker:index/container:Container"
SERVICE = "docker:index/service:Service"
VOLUME = "docker:index/volume:Volume"
REMOTE_IMAGE = "docker:index/remoteImage:RemoteImage"
_SECRET_MARK = "4dabf18193072939515e22adb298388d"  # how Pulumi's protocol marks a special value


@dataclasses.dataclass
class Declared:
    """One resource as the engine would see it."""

    kind: str
    name: str
    inputs: dict[str, Any]


class Recorder(pulumi.runtime.Mocks):
    """Notes every resource and answers as if it had been made."""

    def __init__(self) -> None:
        self.resources: list[Declared] = []

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        self.resources.append(Declared(args.typ, args.name, dict(args.inputs)))
        outputs = {**args.inputs, "imageId": f"sha256:{args.name}"}
        return f"{args.name}-id", {"name": args.name, **outputs}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {"id": f"{args.args.get('name', '')}-id"}, []

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the inputs of each resource of a kind, by its name."""
        return {each.name: each.inputs for each in self.resources if each.kind == kind}


def declare(chosen: StackSettings, stack: str = "t", **running: Any) -> Recorder:
    """Run the program's composition with these settings and return what it declared; `running` is what runs already."""
    return record(lambda: FridayStack(stack, chosen, IMAGES, Surroundings(**running)), stack)


def record(
    composition: Callable[[], object], stack: str = "t", *, recorder: Recorder | None = None, preview: bool = False
) -> Recorder:
    """Run it as Pulumi runs a program and return what it declared."""
    recorder = recorder or Recorder()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        pulumi.runtime.set_mocks(recorder, project="friday-litellm", stack=stack, preview=preview)
        pulumi.runtime.test(composition)()  # type: ignore[no-untyped-call]
    finally:
        loop.close()
    return recorder


def by_part(recorder: Recorder) -> dict[str, list[dict[str, Any]]]:
    """Return the containers that run, by part; not the ones that only hold files."""
    parts: dict[str, list[dict[str, Any]]] = {}
    for container in recorder.of(CONTAINER).values():
        labels = {label["label"]: label["value"] for label in container["labels"]}
        if "friday-litellm.part" in labels:
            parts.setdefault(labels["friday-litellm.part"], []).append(container)
    return parts


def env(container: dict[str, Any]) -> dict[str, str]:
    """Return a container's environment."""
    return dict(entry.split("=", 1) for entry in plain(container["envs"]))


def plain(value: Any) -> Any:
    """Return an input without the wrapping of a secret: one anywhere inside wraps a list or a map as a whole."""
    return value["value"] if isinstance(value, dict) and _SECRET_MARK in value else value
