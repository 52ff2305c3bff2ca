"""A stage for the edge's tests: its own network, the real edge, and replicas that come and go."""

import csv
import io
import itertools
import json
import socket
import subprocess
import tarfile
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import docker
from docker.models.containers import Container
from docker.models.volumes import Volume

from components import edge_ports
from components.certificate import Certificate
from components.edge import (
    COMMAND,
    GATEWAY_HOST_PORT,
    GATEWAY_INTERNAL_PORT,
    OPERATIONS_PORT,
    SOCAT,
    TAKEN,
    USERS_PORT,
    USERS_TLS_PORT,
    EdgeConfig,
    contents,
)
from components.workload import Port
from images import tags
from testing.meanwhile import until

KEY = "sk-edge-test-key-0123456789"
PORTS = {
    "users": USERS_PORT,
    "https": USERS_TLS_PORT,
    "internal": GATEWAY_INTERNAL_PORT,
    "host": GATEWAY_HOST_PORT,
    "operations": OPERATIONS_PORT,
}
PUBLISHED: dict[int | str, Any] = {f"{port}/tcp": ("127.0.0.1", None) for port in PORTS.values()}
REPLICA_PORTS = {"friday": 3000, "litellm": 4000}
SCRIPT = (Path(__file__).parent / "replica.py").read_text()
WEBSOCKETS_SCRIPT = (Path(__file__).parent / "websockets_replica.py").read_text()


@dataclass
class Stage:
    """Everything it makes carries one random name and goes with close()."""

    name: str = field(default_factory=lambda: f"edge-test-{uuid.uuid4().hex[:8]}")
    ports: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.engine = docker.from_env()
        self.network = self.engine.networks.create(self.name)
        self.containers: list[Container] = []
        self.volumes: dict[str, Volume] = {}
        self.numbers = itertools.count(1)

    def close(self) -> None:
        """Remove the containers and the network of this stage."""
        for container in self.containers:
            container.remove(force=True, v=True)
        for volume in self.volumes.values():
            volume.remove()
        self.network.remove()
        self.engine.close()

    def start_edge(self, certificate: Certificate | None = None, /, **changes: object) -> Container:
        """Start the edge with ports of its own, as a Swarm does; they are published on free loopback ports.

        HTTPS is on the port `https_port`, where that is given.
        """
        self._start_volume(self.name)
        ports = {**PUBLISHED, f"{USERS_TLS_PORT}/tcp": ("127.0.0.1", changes.get("https_port"))}
        self.write_files(certificate, **changes)
        self.edge = self._run("edge", "edge", list(COMMAND), {}, ports=ports, binds=[f"{self.name}:/etc/friday:ro"])
        self.read_ports(self.edge)
        self.until(lambda: self.get("operations", "/healthz").startswith("HTTP/1.1 200"))
        return self.edge

    def start_ports(self, **changes: object) -> Container:
        """Start what has the ports in front of an edge, as a stack on one host does; an edge comes by `follow`."""
        self._start_volume(self.name)
        self._start_volume(f"{self.name}-sockets")
        self.write_files(None, sockets="${OWN_SOCKETS}", **changes)
        published = (Port(1, USERS_PORT), Port(2, GATEWAY_HOST_PORT))
        inside = (GATEWAY_INTERNAL_PORT, OPERATIONS_PORT)
        declared = edge_ports.workload(tags.tag("edge"), published, inside, OPERATIONS_PORT, "edge")
        binds = [f"{self.name}-sockets:{edge_ports.SOCKETS}"]
        ports = self._run("edge", "edge", list(declared.command), {}, ports=PUBLISHED, binds=binds)
        self.read_ports(ports)
        return ports

    def follow(self) -> Container:
        """Start an edge behind the ports, and wait until it is the one that gets what comes there."""
        binds = [f"{self.name}:/etc/friday:ro", f"{self.name}-sockets:{edge_ports.SOCKETS}"]
        sockets = {"SOCKETS": edge_ports.SOCKETS}
        self.edge = self._run("itself", "edge", list(COMMAND), {}, sockets, binds=binds)
        self.until(lambda: self.is_current(self.edge))
        return self.edge

    def is_current(self, edge: Container) -> bool:
        """Return whether an edge gets what comes to the ports."""
        seen = edge.exec_run(["bash", "-c", f"[[ {edge_ports.SOCKETS}/current -ef {edge_ports.SOCKETS}/$HOSTNAME ]]"])
        return seen.exit_code == 0

    def read_ports(self, container: Container) -> None:
        """Learn which ports of the host lead to a container that has just been started."""
        container.reload()
        bound = container.attrs["NetworkSettings"]["Ports"]
        self.ports = {name: int(bound[f"{port}/tcp"][0]["HostPort"]) for name, port in PORTS.items()}

    def _start_volume(self, name: str) -> None:
        self.volumes[name] = self.engine.volumes.create(name)  # the same one when an edge is started anew

    def write_files(self, certificate: Certificate | None = None, /, **changes: object) -> None:
        """Write the edge's files into the volume that it reads them from, as the container of a stack's files does."""
        values: dict[str, object] = {"friday_replicas": 2, "litellm_replicas": 2, "edge_key": KEY, **changes}
        self.put(contents(EdgeConfig.model_validate(values), certificate))

    def put(self, files: dict[str, str]) -> None:
        """Write files one by one into the edge's volume, by a container that never starts."""
        api = self.engine.api
        host = api.create_host_config(binds=[f"{self.name}:/etc/friday"], network_mode="none")
        created = api.create_container(tags.tag("edge"), volumes=["/etc/friday"], host_config=host)
        holder = self.engine.containers.get(created["Id"])
        try:
            for name, text in files.items():
                holder.put_archive("/etc/friday", _archive({name: text}))
        finally:
            holder.remove()

    def taken(self) -> str:
        """Return what the edge says of the files that it was given: "taken", or why not."""
        return cast(bytes, self.edge.exec_run(["bash", "-c", TAKEN]).output).decode().strip()

    def start_replica(self, part: str, **env: str) -> Container:
        """Start one replica behind the alias `part`."""
        return self._run(
            part, "python", ["python3", "/etc/friday/replica.py", str(REPLICA_PORTS[part])], {"replica.py": SCRIPT}, env
        )

    def start_websockets_replica(self) -> Container:
        """Start one Friday that keeps web sockets."""
        command = ["python3", "/etc/friday/replica.py", str(REPLICA_PORTS["friday"])]
        return self._run("friday", "litellm", command, {"replica.py": WEBSOCKETS_SCRIPT})

    def _run(
        self,
        part: str,
        image: str,
        command: list[str],
        files: dict[str, str],
        env: dict[str, str] | None = None,
        ports: dict[int | str, Any] | None = None,
        binds: list[str] | None = None,
    ) -> Container:
        name = f"{self.name}-{part}-{next(self.numbers)}"
        api = self.engine.api
        created = api.create_container(
            tags.tag(image),
            command,
            name=name,
            user="10001:10001",
            environment={"REPLICA": name, **(env or {})},
            volumes=["/etc/friday"],
            ports=[str(port).split("/")[0] for port in ports or {}],
            host_config=api.create_host_config(
                read_only=True,
                tmpfs={"/tmp": "rw,noexec,nosuid,size=64m,mode=1777"},  # noqa: S108 - the container's own
                cap_drop=["ALL"],
                security_opt=["no-new-privileges:true"],
                port_bindings=ports or {},
                binds=binds,
                init=True,
            ),
            networking_config=api.create_networking_config(
                cast(Any, {self.name: api.create_endpoint_config(aliases=[part])})  # the stub names one endpoint only
            ),
        )
        container = self.engine.containers.get(created["Id"])
        self.containers.append(container)
        if files:
            container.put_archive("/etc/friday", _archive(files))
        container.start()
        return container

    def get(self, port: str, path: str) -> str:
        """Send one plain GET and return the whole answer."""
        return self.raw(port, f"GET {path} HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n".encode())

    def raw(self, port: str, request: bytes, seconds: float = 10.0) -> str:
        """Send bytes as they are and return all that comes back until the edge closes."""
        try:
            with socket.create_connection(("127.0.0.1", self.ports[port]), timeout=seconds) as connection:
                connection.sendall(request)
                return b"".join(iter(lambda: connection.recv(65_536), b"")).decode("latin-1")
        except ConnectionError:
            return ""

    def runtime(self, command: str) -> str:
        """Send one command to HAProxy's runtime API, as an operator does."""
        shell = f"printf '{command.strip()}\\n' | {' '.join(SOCAT)}"
        # The library may lose what comes at once: findings/docker-py-loses-output-that-comes-with-the-headers.sh.
        line = ["docker", "exec", str(self.edge.name), "bash", "-o", "pipefail", "-c", shell]
        ran = subprocess.run(line, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, f"{command.strip()} ended with {ran.returncode}: {ran.stdout}{ran.stderr}"
        return ran.stdout

    def until_up(self, part: str, count: int) -> None:
        """Wait until the edge sends requests to exactly `count` replicas of a part."""
        self.until(lambda: self.up(part) == count)

    def up(self, part: str) -> int:
        """Return how many replicas of a part have passed their check; a name just resolved counts as up before that."""
        return sum(row["status"] == "UP" and row["check_status"].endswith("L7OK") for row in self.servers(part))

    def servers(self, part: str) -> list[dict[str, str]]:
        """Return HAProxy's statistics of a part's slots."""
        return [row for row in self._statistics(part) if row["svname"] != "BACKEND"]

    def served(self, part: str) -> int:
        """Return how many requests a part's replicas have got from the edge, health checks left out."""
        return next(int(row["stot"]) for row in self._statistics(part) if row["svname"] == "BACKEND")

    def busy(self, part: str) -> Container | None:
        """Return a replica that has a request on its way, or None."""
        addresses = [row["addr"].split(":")[0] for row in self.servers(part) if row["scur"] != "0"]
        for container in self.replicas(part):
            container.reload()
            if container.attrs["NetworkSettings"]["Networks"][self.name]["IPAddress"] in addresses:
                return container
        return None

    def replicas(self, part: str) -> list[Container]:
        """Return every replica of a part that was started here."""
        return [container for container in self.containers if f"-{part}-" in str(container.name)]

    def _statistics(self, part: str) -> list[dict[str, str]]:
        text = self.runtime("show stat")
        assert text.startswith("# pxname"), f"no statistics: {text[:500]!r}"
        return [row for row in csv.DictReader(io.StringIO(text.removeprefix("# "))) if row["pxname"] == part]

    @staticmethod
    def until(condition: Any, seconds: float = 45.0) -> None:
        """Wait for a condition; AssertionError when it does not come true."""
        until(condition, "what the edge's stage waits for", seconds, every=0.1)


def post(path: str, body: str = "{}", *headers: str) -> bytes:
    """Return a well-formed POST."""
    extra = "".join(f"{header}\r\n" for header in headers)
    head = f"POST {path} HTTP/1.1\r\nHost: edge\r\nConnection: close\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    return (head + body).encode()


def echoed(answer: str) -> dict[str, Any]:
    """Return what reached the replica, from its answer."""
    return cast(dict[str, Any], json.loads(answer.split("\r\n\r\n", 1)[1]))


def _archive(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            content = text.encode()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
