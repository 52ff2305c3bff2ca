"""What tests of rollbacks ask of a stack, and how they spoil it."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from components.catalogue import default_models
from testing.project import Project


def through_the_gateway(project: Project, since: float) -> list[float]:
    """Return when, in epoch seconds after `since`, OpenRouter was asked with the gateway's key."""
    url = f"{project.simulator_url}/admin/requests"
    records = httpx.get(url, params={"since": since, "limit": 5000}, timeout=10).json()["requests"]
    return [record["time"] for record in records if record["account"] == "gateway"]


def percentage(project: Project) -> int:
    found: int = json.loads(project.fridayctl("status", project.stack, "--json").out)["deployed_percentage"]
    return found


def bring_to(project: Project, wanted: int) -> None:
    project.configure({"rolloutPercentage": wanted})
    project.fridayctl("up", project.stack)


def rollback(project: Project, *options: str, code: int = 0) -> str:
    return project.fridayctl("rollback", project.stack, "--yes", *options, code=code).text


def settings(project: Project) -> dict[str, Any]:
    """Return the stack file's settings; Pulumi writes a whole number as a text."""
    found = project.settings
    return {**found, "rolloutPercentage": int(found["rolloutPercentage"])}


def gateway_config(project: Project) -> str:
    """Return LiteLLM's configuration as a replica has it: models, their names and who stands in for whom."""
    return project.python_in("litellm", "print(open('/etc/friday/config.yaml').read())")


def images_of(project: Project, part: str) -> set[str]:
    return {container.attrs["Config"]["Image"] for container in project.containers(part)}


@contextmanager
def another_image(project: Project, part: str) -> Iterator[str]:
    """Make another image for a part for a while, which works as its own one does."""
    name = f"friday-litellm/other-{part}:{project.stack}"
    dockerfile = io.BytesIO(f"FROM {project.images()[part]}\nLABEL other-image-of={project.stack}\n".encode())
    project.engine.images.build(fileobj=dockerfile, tag=name, rm=True)
    try:
        yield name
    finally:
        project.engine.images.remove(name)


def models_with_another_first() -> list[dict[str, Any]]:
    """Return the default models, the names that Friday asks for given to the second one instead of the first."""
    first, second, *others = [model.model_dump(mode="json") for model in default_models()]
    second["aliases"] = [*second["aliases"], *first.pop("aliases")]
    return [first | {"aliases": []}, second, *others]


def give_a_secret_that_older_code_does_not_know(stack: Project) -> None:
    code = stack.root / "components" / "settings" / "stack.py"
    text = code.read_text().replace('    "gatewayKey",\n', '    "gatewayKey",\n    "newKey",\n', 1)
    text = text.replace("    gateway_key: Secret\n", "    gateway_key: Secret\n    new_key: Secret | None = None\n", 1)
    code.write_text(text)
    stack.pulumi("config", "set", "--secret", "newKey", "a-value-of-the-test", "-s", stack.stack)


def drain_seconds(project: Project) -> set[str]:
    found = set()
    for container in project.containers("friday"):
        environment = dict(entry.split("=", 1) for entry in container.attrs["Config"]["Env"])
        found.add(environment["DRAIN_SECONDS"])
    return found


def children_named(parent: int, name: str) -> list[int]:
    """Return the processes below `parent` whose program is `name`."""
    found = []
    for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        if Path(f"/proc/{child}/comm").read_text().strip() == name:
            found.append(int(child))
        found += children_named(int(child), name)
    return found
