"""Host: the Docker host (or the Swarm's manager) and the stack's networks on it."""

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components.settings.hosts import LocalFile, SshSettings, TlsSettings
from components.workload import APP_NETWORK, GATEWAY_NETWORK


@dataclass(frozen=True)
class HostArgs:
    """`docker_host` is the address of the daemon; networks span hosts when `swarm` is true."""

    stack: str
    docker_host: str
    ssh: SshSettings
    tls: TlsSettings
    swarm: bool


class Host(pulumi.ComponentResource):
    """Produces docker.Provider and two docker.Network.

    Friday lives on the app network and LiteLLM on the gateway network; only the edge is on both, so nothing
    on Friday's side reaches LiteLLM except through the edge's allow-list.
    """

    def __init__(self, args: HostArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("friday-litellm:components:Host", "host", None, opts)
        self.provider = _provider(args, pulumi.ResourceOptions(parent=self))
        self.networks = {name: self._network(args, name) for name in (APP_NETWORK, GATEWAY_NETWORK)}
        self.register_outputs({})

    def _network(self, args: HostArgs, name: str) -> docker.Network:
        return docker.Network(
            f"network-{name}",
            name=f"friday-{args.stack}-{name}",
            driver="overlay" if args.swarm else "bridge",
            attachable=args.swarm,
            labels=[docker.NetworkLabelArgs(label="friday-litellm.stack", value=args.stack)],
            opts=pulumi.ResourceOptions(parent=self, provider=self.provider),
        )


def _provider(args: HostArgs, opts: pulumi.ResourceOptions) -> docker.Provider:
    if args.docker_host.startswith("ssh://"):
        # The connection that ops/hosts/ssh_master.py holds, if it does, else one of the plugin's own. The variable is
        # for ssh to expand: the state must not depend on the machine.
        socket = f"${{FRIDAY_SSH_CONTROL_DIR}}/{args.ssh.connection_name(args.docker_host)}"
        shared = ["-o", "ControlMaster=no", "-o", f"ControlPath={socket}"]
        return docker.Provider("docker", host=args.docker_host, ssh_opts=[*args.ssh.options(), *shared], opts=opts)
    if args.docker_host.startswith("tcp://"):
        return docker.Provider(
            "docker",
            host=args.docker_host,
            ca_material=_content(args.tls.ca_file),
            cert_material=_content(args.tls.cert_file),
            key_material=pulumi.Output.secret(_content(args.tls.key_file)),
            opts=opts,
        )
    return docker.Provider("docker", host=args.docker_host, opts=opts)


def _content(path: LocalFile | None) -> str:
    return path.read_text(encoding="utf-8") if path else ""
