"""Containers as `docker inspect` shows them when all is as declared; a test changes what it is about."""

from collections.abc import Callable
from typing import Any

from components.parts import declare
from components.workload import Workload
from ops.checks.report import Check
from ops.checks.verify.containers import MEBIBYTE, Comparison, InspectedContainer
from tests.unit.declared import IMAGES
from tests.unit.given import settings

STACK = "t"
IMAGE_ID = "sha256:" + "1" * 64
Change = Callable[[dict[str, Any]], None]


def workloads(**changes: Any) -> dict[str, Workload]:
    """Return the workloads of the small simulator stack, by part."""
    return {each.part: each for part in declare(STACK, settings(**changes), IMAGES) for each in part.with_front()}


def inspected(workload: Workload, instance: str, replica: int = 1) -> dict[str, Any]:
    """Return a healthy container of a workload."""
    env = {**workload.env, **workload.secret_env, "PATH": "/bin"}
    bindings: dict[str, Any] = {f"{workload.probe.port}/tcp": None}
    for port in workload.ports:
        bindings[f"{port.container}/tcp"] = [{"HostIp": port.address, "HostPort": str(port.host)}]
    return {
        "Name": f"/friday-{STACK}-{instance}",
        "Image": IMAGE_ID,
        "State": {"Status": "running", "Health": {"Status": "healthy"}},
        "Config": {
            "Entrypoint": list(workload.command[:1]),
            "Cmd": list(workload.command[1:]),
            "User": workload.user,
            "Env": [f"{name}={value}" for name, value in env.items()],
            "Labels": {
                "friday-litellm.stack": STACK,
                "friday-litellm.part": workload.part,
                "friday-litellm.replica": str(replica),
            },
        },
        "HostConfig": {
            "Memory": workload.memory_mb * MEBIBYTE,
            "MemorySwap": workload.memory_mb * MEBIBYTE,
            "ReadonlyRootfs": workload.read_only,
            "Privileged": False,
            "CapDrop": ["ALL"],
            "CapAdd": None,
            "SecurityOpt": ["no-new-privileges:true"],
            "LogConfig": {"Type": "json-file", "Config": {"max-file": "3", "max-size": "10m"}},
            "RestartPolicy": {"Name": "always", "MaximumRetryCount": 0},
            "Tmpfs": {path: "" for path in ("/tmp", *workload.tmpfs)},  # noqa: S108 - the container's own
        },
        "Mounts": [
            {"Type": "volume", "Name": workload.volume_name(STACK, name), "Destination": path}
            for path, name in workload.volumes.items()
        ],
        "NetworkSettings": {
            "Ports": bindings,
            "Networks": {f"friday-{STACK}-{network}": {} for network in workload.networks}
            | {network: {} for network in workload.outer_networks},
        },
    }


def replicas(workload: Workload) -> list[dict[str, Any]]:
    """Return every declared replica of a workload."""
    return [inspected(workload, name, number) for number, name in enumerate(workload.instance_names(), start=1)]


def compare(workload: Workload, containers: list[dict[str, Any]], **changes: Any) -> list[Check]:
    """Run the comparisons of a part; `changes` are fields of Comparison, or `secrets`."""
    secrets = changes.pop("secrets", {})
    fields: dict[str, Any] = {"image_id": IMAGE_ID, "built_here": True, "stack": STACK, "swarm": False, **changes}
    seen = [InspectedContainer(STACK, each) for each in containers]
    return Comparison(workload=workload, seen=seen, **fields).checks(secrets)
