"""The Docker hosts of a stack, each connected once for everything that a command does there."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import docker

from components.settings.stack import StackSettings
from ops.errors import OperationError
from ops.hosts.connection import connect
from ops.hosts.docker_host import DockerHost
from ops.progress import Say


class Hosts:
    """Connects to each host when it is first asked for, by its address in the stack file; threads may share it."""

    def __init__(self, settings: StackSettings) -> None:
        self._settings = settings
        self.addresses = tuple(settings.hosts)
        self._locks = {address: threading.Lock() for address in self.addresses}
        self._clients: dict[str, docker.DockerClient] = {}

    def client(self, address: str) -> docker.DockerClient:
        """Return the client of a host's daemon; OperationError (exit code 2) when it is not reached."""
        with self._locks[address]:
            if address not in self._clients:
                self._clients[address] = connect(address, self._settings.ssh, self._settings.tls)
            return self._clients[address]

    def at(self, address: str) -> DockerHost:
        """Return a host; OperationError (exit code 2) when it is not reached."""
        return DockerHost(self.client(address))

    @cached_property
    def manager(self) -> DockerHost:
        """The host that speaks for the whole stack: its only one, or the Swarm's manager that the stack file names."""
        if self._settings.engine != "swarm":
            return self.at(self._settings.docker_host)
        from ops.hosts.swarm import SwarmManager  # noqa: PLC0415 - loads Pulumi, and a rollback closes the edge before

        client, hosts = self.client(self._settings.docker_host), lambda: self.answering(lambda _: None).values()
        return SwarmManager(client, hosts, len(self.addresses))

    @property
    def connected(self) -> dict[str, DockerHost]:
        """Return the hosts that were reached so far, by address."""
        return {address: self.at(address) for address in self.addresses if address in self._clients}

    def answering(self, lost: Say) -> dict[str, DockerHost]:
        """Return the hosts that answer now, by address; `lost` gets each that does not, and why."""
        with ThreadPoolExecutor(len(self.addresses)) as pool:
            found = dict(zip(self.addresses, pool.map(self._host_or_why, self.addresses), strict=True))
        for address, host in found.items():
            if isinstance(host, OperationError):
                lost(f"{address}: {host.message}")
        return {address: host for address, host in found.items() if isinstance(host, DockerHost)}

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()

    def _host_or_why(self, address: str) -> DockerHost | OperationError:
        try:
            if known := self._clients.get(address):
                known.ping()
            return self.at(address)
        except OperationError as error:
            return error
