"""The networks that a Docker host has, for those that Friday is to join besides the stack's own."""

from dataclasses import dataclass

import docker

from ops.hosts.docker_host import STACK_LABEL


@dataclass(frozen=True)
class HostNetwork:
    """A network of a host: its `scope` is local or swarm, `stack` the stack of ours that made it, or ""."""

    driver: str
    scope: str
    attachable: bool = False
    stack: str = ""


def networks_of(client: docker.DockerClient) -> dict[str, HostNetwork]:
    """Return a host's networks by their names."""
    return {
        each["Name"]: HostNetwork(
            each["Driver"], each["Scope"], each["Attachable"], (each["Labels"] or {}).get(STACK_LABEL, "")
        )
        for each in client.api.networks()
    }
