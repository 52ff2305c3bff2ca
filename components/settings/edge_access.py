"""What a stack file says about how users reach the edge: through which proxies, with which certificate."""

import ipaddress
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from components.settings.base import Count, Port, Settings, between
from components.settings.hosts import LocalFile


def _network(value: str) -> str:
    network = ipaddress.ip_network(value)
    if not network.prefixlen:
        raise ValueError("that is everybody, and everybody could then say to be anybody")
    return str(network)


Network = Annotated[str, AfterValidator(_network)]
"""An IPv4 or IPv6 address, or a network of them (CIDR), as HAProxy takes it."""

CookieName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class EdgeTlsSettings(Settings):
    """HTTPS at the edge. Both files are on the machine that deploys; the key goes into Pulumi's state encrypted."""

    certificate_file: LocalFile | None = Field(
        default=None, description="the path of a PEM file with the certificate and after it its authorities'"
    )
    key_file: LocalFile | None = Field(default=None, description="the path of the certificate's key (PEM)")
    port: Port = 443
    hsts_seconds: Count = between(
        0, 63072000, "seconds", " that browsers keep to HTTPS (0: they are not told to)", default=0
    )

    @property
    def files(self) -> tuple[Path, Path] | None:
        """Return the files of certificate and key, None when users are not served over HTTPS."""
        return (self.certificate_file, self.key_file) if self.certificate_file and self.key_file else None

    def require_both(self) -> None:
        """Raise ValueError when one of the two files is named without the other."""
        if bool(self.certificate_file) != bool(self.key_file):
            raise ValueError("edge.tls should name both certificateFile and keyFile, or neither")
