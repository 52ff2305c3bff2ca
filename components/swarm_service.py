"""What tells a form of a Swarm's service from another: the same few digits from what is declared and from what is seen.

No label carries them: the plugin takes a service away and makes it anew when one of its labels changes.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from components.workload import Workload

MEBIBYTE = 1024 * 1024
_TAG_AND_DIGEST = re.compile(r"(:[^/@]+)@sha256:[0-9a-f]+$")


def instance_of(service: str, digest: str) -> str:
    """Return how a service in one form is named."""
    return f"{service}@{digest}"


def content_name(stack: str, part: str, path: str, content: str) -> str:
    """Return the name of a file's config or secret. Their content cannot be changed: other content is another name."""
    digest = hashlib.sha256(f"{path} {content}".encode()).hexdigest()[:8]
    name = f"friday-{stack}-{part}-{path.replace('/', '-').replace('.', '-')}"
    return f"{name[:55]}-{digest}"  # a name ends at 64 letters


def dropped_capabilities(workload: Workload) -> list[str]:
    """Return which capabilities the containers of a workload's service lose beyond those that its user has not.

    None of what has the host's ports: a change would close them for seconds, host by host. It runs as an unprivileged
    user, which has none in effect either way. A Swarm has no word for `no-new-privileges` before engine 25, and the
    plugin has none at all.
    """
    return [] if workload.image_stays else ["ALL"]


def declared_digest(stack: str, workload: Workload) -> str:
    """Return the digits of a workload's service as the program declares it."""
    env = {**workload.env, **workload.secret_env}
    return _digest(
        image=workload.image,
        command=workload.command,
        env=[f"{name}={value}" for name, value in env.items()],
        files=(content_name(stack, workload.part, path, file.content) for path, file in workload.files.items()),
        memory=workload.memory_mb * MEBIBYTE,
        replicas=None if workload.on_every_host else workload.replicas,
        dropped=dropped_capabilities(workload),
    )


def seen_digest(spec: Mapping[str, Any]) -> str:
    """Return the digits of a service as the Swarm has it; `spec` is what `docker service inspect` shows as Spec."""
    template = spec["TaskTemplate"]
    container = template["ContainerSpec"]
    replicated = spec["Mode"].get("Replicated")
    configs = (each["ConfigName"] for each in container.get("Configs") or ())
    secrets = (each["SecretName"] for each in container.get("Secrets") or ())
    return _digest(
        image=container["Image"],
        command=[*(container.get("Command") or ()), *(container.get("Args") or ())],
        env=container.get("Env") or (),
        files=[*configs, *secrets],
        memory=(template.get("Resources") or {}).get("Limits", {}).get("MemoryBytes", 0),
        replicas=replicated.get("Replicas", 0) if replicated is not None else None,
        dropped=container.get("CapabilityDrop") or (),
    )


def declared_form(workload: Workload) -> str:
    """Return digits of what a service publishes and runs, whichever image it runs of, as the program declares it."""
    return _form(workload.command, ((port.host, port.container) for port in workload.ports))


def seen_form(spec: Mapping[str, Any]) -> str:
    """Return the same digits of a service as the Swarm has it."""
    container, endpoint = spec["TaskTemplate"]["ContainerSpec"], spec.get("EndpointSpec") or {}
    ports = ((each["PublishedPort"], each["TargetPort"]) for each in endpoint.get("Ports") or ())
    return _form([*(container.get("Command") or ()), *(container.get("Args") or ())], ports)


def without_digest(image: str) -> str:
    """Return an image as it is declared: an engine that reaches the registry adds the digest to a tag."""
    return _TAG_AND_DIGEST.sub(r"\1", image)


def _form(command: Iterable[str], ports: Iterable[tuple[int, int]]) -> str:
    return hashlib.sha256(json.dumps([list(command), sorted(ports)]).encode()).hexdigest()[:8]


def _digest(
    *,
    image: str,
    command: Iterable[str],
    env: Iterable[str],
    files: Iterable[str],
    memory: int,
    replicas: int | None,
    dropped: Iterable[str],
) -> str:
    seen = [without_digest(image), list(command), sorted(env), sorted(files), memory, replicas, *dropped]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:8]
