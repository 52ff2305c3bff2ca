"""Which engine the `docker` command talks to, and what chose it: DOCKER_HOST, a docker context, or nothing."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from toolchain import process

DEFAULT = "unix:///var/run/docker.sock"


@dataclass(frozen=True)
class Endpoint:
    """The engine that set-up uses and that builds the images.

    `chosen_by` says what chose it and `undo` takes that back; both are "" for this machine's usual socket. `tls_folder`
    holds ca.pem, cert.pem and key.pem, None where no TLS is used.
    """

    address: str = DEFAULT
    chosen_by: str = ""
    undo: str = ""
    tls_folder: Path | None = None

    @property
    def shown(self) -> str:
        """Return the address with what chose it, for people."""
        return f"{self.address} ({self.chosen_by})" if self.chosen_by else self.address


def endpoint() -> Endpoint:
    """Return what `docker` itself says: it knows the order of DOCKER_HOST, DOCKER_CONTEXT and its own configuration.

    Without an answer (no docker command, a context that is not there) it is what the variables name.
    """
    host, context = os.environ.get("DOCKER_HOST", ""), os.environ.get("DOCKER_CONTEXT", "")
    answer = process.read(["docker", "context", "inspect", "--format", "{{json .}}"])
    try:
        found = json.loads(answer or "")
        name, address = str(found["Name"]), str(found["Endpoints"]["docker"]["Host"])
        stored = Path(found["Storage"]["TLSPath"], "docker") if found.get("TLSMaterial") else None
    except (ValueError, KeyError, TypeError):
        name, address, stored = context or "default", host or DEFAULT, None
    if host:
        return Endpoint(address, f"DOCKER_HOST={host}", "unset DOCKER_HOST", _tls_folder())
    if name == "default":
        return Endpoint(address)
    undo = "unset DOCKER_CONTEXT" if context else "docker context use default"
    return Endpoint(address, f"the docker context {name}", undo, stored)


def _tls_folder() -> Path | None:
    """Return where `docker` looks for the TLS files of a DOCKER_HOST, None when it is not told to use TLS."""
    if not (os.environ.get("DOCKER_TLS_VERIFY") or os.environ.get("DOCKER_TLS")):
        return None
    return Path(os.environ.get("DOCKER_CERT_PATH") or os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
