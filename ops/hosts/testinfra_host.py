"""One host as Testinfra sees it: commands on it, its Docker daemon, and the ports that it publishes.

Over ssh everything goes through the host's one connection, and requests through tunnels in it: a port of the host's
loopback is asked like any other, and the host needs no program but docker.
"""

import json
import shlex
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import testinfra
from testinfra.host import Host

from components.settings.stack import StackSettings
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts import ssh_master, swarm_errors

_REQUEST_SECONDS = 10


@dataclass(frozen=True)
class TestHost:
    """A host that has answered. `tunnels` are the sockets on this machine that lead to its ports."""

    __test__ = False  # a name that pytest would collect

    address: str
    host: Host
    docker_command: Sequence[str]
    tunnels: dict[int, Path] = field(default_factory=dict)

    @property
    def runs_commands(self) -> bool:
        """Return whether commands run on the host itself; over tcp:// only its daemon is reached."""
        return not self.address.startswith("tcp://")

    def run(self, *words: str) -> tuple[int, str]:
        """Run a command on the host; return its exit code and what it printed on stdout, else on stderr."""
        try:
            done = self.host.run(" ".join(["%s"] * len(words)), *words)
        except RuntimeError as error:  # how Testinfra reports that ssh itself failed
            fix = "look whether the host is up, then ask again"
            raise OperationError(f"{self.address}: connection lost", fix, details=str(error.args[0].stderr)) from error
        return done.rc, (done.stdout_bytes or done.stderr_bytes).decode(errors="replace").strip()

    def docker(self, *words: str) -> str:
        """Return what a docker command prints; OperationError when it fails."""
        code, text = self.run(*self.docker_command, *words)
        if code:
            lost = swarm_errors.explain(
                self.address, text, lambda: self.docker_json("info", "--format", "{{json .Swarm}}")
            )
            failed = f"{self.address}: docker {words[0]} failed: {text}"
            raise lost or OperationError(failed, "./fridayctl doctor", EXIT_USAGE)
        return text

    def docker_json(self, *words: str) -> Any:
        """Return what a docker command prints as JSON."""
        return json.loads(self.docker(*words))

    def exec(self, container: str, script: str) -> tuple[int, str]:
        """Run a shell script in a container; return its exit code and what it printed."""
        return self.run(*self.docker_command, "exec", container, "sh", "-c", script)

    @contextmanager
    def client(self, bound: str, port: int, scheme: str = "http") -> Iterator[httpx.Client | None]:
        """Yield a client of a port that the host publishes on `bound`, or None when it cannot be reached.

        With the `scheme` https any certificate is taken: whoever asks has to compare it.
        """
        # The address is the host's, and the certificate is for the users' name.
        transport = httpx.HTTPTransport(verify=False, uds=str(self.tunnels[port]) if port in self.tunnels else None)
        name: str | None = _reached(bound)
        if not self.runs_commands:
            name = None if bound.startswith("127.") else urlsplit(self.address).hostname
        if name is None:
            yield None
            return
        # The environment's proxies are not meant for the stack's own ports.
        with httpx.Client(
            base_url=f"{scheme}://{name}:{port}", transport=transport, timeout=_REQUEST_SECONDS, trust_env=False
        ) as client:
            yield client


@contextmanager
def open_test_host(address: str, settings: StackSettings) -> Iterator[TestHost]:
    """Connect to a host; OperationError (exit code 2) when it is not reached."""
    if not address.startswith("ssh://"):
        tls = {"cacert": settings.tls.ca_file, "cert": settings.tls.cert_file, "key": settings.tls.key_file}
        named = ["--tlsverify", *(f"--tls{name}={path}" for name, path in tls.items())]
        options = named if address.startswith("tcp://") else []
        yield TestHost(address, testinfra.get_host("local://"), ["docker", "--host", address, *options])
        return
    edge = settings.edge
    users = _reached(edge.bind_address)
    ports = {edge.port: users, edge.gateway_port: "127.0.0.1"}
    if edge.tls.files:
        ports[edge.tls.port] = users
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="friday-verify-")))
        tunnels = {port: folder / str(port) for port in ports}
        leads = [f"{tunnels[port]}:{name}:{port}" for port, name in ports.items()]
        stack.enter_context(ssh_master.tunnels(address, settings.ssh, leads))
        options = [*settings.ssh.options(), "-T", "-o", "LogLevel=ERROR", *ssh_master.options(address, settings.ssh)]
        shared = shlex.join(options)
        yield TestHost(address, testinfra.get_host(address, ssh_extra_args=shared), ["docker"], tunnels)


def _reached(bound: str) -> str:
    """Return the address by which the host itself reaches what it publishes on `bound`."""
    return "127.0.0.1" if bound == "0.0.0.0" else bound  # noqa: S104 - compared, not bound
