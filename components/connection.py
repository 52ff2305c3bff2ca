"""How Pulumi's Docker plugin reaches a stack's host: its provider, whose inputs the state keeps."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi
import pulumi_docker as docker

from components.settings.stack import StackSettings

_INPUTS = ("host", "sshOpts", "caMaterial", "certMaterial")
PROVIDER = "pulumi:providers:docker"
STACK_TYPE, HOST_TYPE = "friday-litellm:components:FridayStack", "friday-litellm:components:Host"


class Connection(pulumi.ComponentResource):
    """Produces the docker.Provider of FridayStack, where that has it, and nothing else.

    For what reads or removes what the state records: the provider there is that of whoever made the last update.
    """

    def __init__(self, stack: str, settings: StackSettings, registries: Sequence[str] = ()) -> None:
        super().__init__(STACK_TYPE, stack)
        host = pulumi.ComponentResource(HOST_TYPE, "host", None, pulumi.ResourceOptions(parent=self))
        provider(settings, pulumi.ResourceOptions(parent=host), registries)
        host.register_outputs({})
        self.register_outputs({})


def provider(settings: StackSettings, opts: pulumi.ResourceOptions, registries: Sequence[str] = ()) -> docker.Provider:
    """Declare the provider for a stack's Docker host.

    It reads this machine's logins for `registries` by itself and gives them to a Swarm with each service, as `docker
    service create --with-registry-auth` does; the state has the registries' names alone.
    """
    address = settings.docker_host
    logins: list[docker.ProviderRegistryAuthArgsDict] | None = [{"address": each} for each in registries] or None
    if address.startswith("ssh://"):
        return docker.Provider("docker", host=address, ssh_opts=_ssh_options(settings), registry_auth=logins, opts=opts)
    if address.startswith("tcp://"):
        return docker.Provider(
            "docker",
            host=address,
            ca_material=_content(settings.tls.ca_file),
            cert_material=_content(settings.tls.cert_file),
            key_material=pulumi.Output.secret(_content(settings.tls.key_file)),
            registry_auth=logins,
            opts=opts,
        )
    return docker.Provider("docker", host=address, registry_auth=logins, opts=opts)


def is_as_recorded(settings: StackSettings, inputs: Mapping[str, Any]) -> bool:
    """Return whether a provider's inputs, as a state records them, lead to the host as these settings do.

    The key of TLS is not compared, which is encrypted there: it belongs to its certificate.
    """
    address = settings.docker_host
    own: dict[str, Any] = {"host": address}
    if address.startswith("ssh://"):
        own["sshOpts"] = _ssh_options(settings)
    if address.startswith("tcp://"):
        own |= {"caMaterial": _content(settings.tls.ca_file), "certMaterial": _content(settings.tls.cert_file)}
    return own == {name: _plain(inputs[name]) for name in _INPUTS if name in inputs}


def _plain(value: Any) -> Any:
    """Return an input as it was given: the SDK gives a provider its lists as JSON."""
    try:
        return json.loads(value) if isinstance(value, str) and value.startswith("[") else value
    except ValueError:
        return value


def _ssh_options(settings: StackSettings) -> list[str]:
    # The connection that ops/hosts/ssh_master.py holds, if it does, else one of the plugin's own. The variable is for
    # ssh to expand: the state must not depend on the machine.
    socket = f"${{FRIDAY_SSH_CONTROL_DIR}}/{settings.ssh.connection_name(settings.docker_host)}"
    return [*settings.ssh.options(), "-o", "ControlMaster=no", "-o", f"ControlPath={socket}"]


def _content(path: Path | None) -> str:
    return path.read_text(encoding="utf-8") if path else ""
