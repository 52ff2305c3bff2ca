"""How the Docker hosts of a stack are reached."""

import hashlib
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from components.settings.base import Settings

Address = Annotated[
    str,
    Field(
        pattern=r"^(unix:///\S+|ssh://[^\s/]+|tcp://[^\s/]+)$",
        description="unix:///path, ssh://user@host[:port] or tcp://host:port",
    ),
]


LocalFile = Annotated[
    Path, AfterValidator(Path.expanduser), Field(description="the path of a file of this machine; ~ is the home folder")
]


class SshSettings(Settings):
    """What `ssh` gets beside the address; left out, it follows the user's own configuration and agent.

    A host whose key is not in the known hosts is never reached: nothing is trusted on first sight.
    """

    # ssh itself knows what ~ is: the state must not depend on the machine, nor on who deploys.
    identity_file: Path | None = Field(
        default=None, description="the path of a private key of this machine; ~ is the home folder"
    )
    known_hosts_file: Path | None = Field(
        default=None, description="the path of a file with the hosts' public keys; ~ is the home folder"
    )

    def options(self) -> list[str]:
        """Return the options for `ssh`: no questions, no unknown host, and no endless wait for one that is gone."""
        options = ["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=10"]
        # A connection that breaks without a word is given up after 15 s.
        options += ["-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"]
        if self.identity_file:
            options += ["-i", str(self.identity_file), "-o", "IdentitiesOnly=yes"]
        if self.known_hosts_file:
            options += ["-o", f"UserKnownHostsFile={self.known_hosts_file}"]
        return options

    def connection_name(self, address: str) -> str:
        """Return a name for a connection to `address`: another key, or other known hosts, make it another one."""
        return hashlib.sha256("\0".join([address, *self.options()]).encode()).hexdigest()[:16]


class TlsSettings(Settings):
    """The three files of a mutual TLS connection, as Docker's documentation names them."""

    ca_file: LocalFile | None = Field(default=None, description="the path of the authority's certificate (ca.pem)")
    cert_file: LocalFile | None = Field(default=None, description="the path of this machine's certificate (cert.pem)")
    key_file: LocalFile | None = Field(default=None, description="the path of its private key (key.pem)")

    def require(self) -> None:
        """Raise ValueError unless all three are given: a daemon on TCP without them is open to its whole network."""
        if not (self.ca_file and self.cert_file and self.key_file):
            raise ValueError("tls should name caFile, certFile and keyFile when a host is reached by tcp://")
