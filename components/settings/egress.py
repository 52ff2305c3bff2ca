"""What a stack file says about the way from its containers to the internet."""

from typing import Annotated

from pydantic import Field, StringConstraints

from components.settings.base import Settings
from components.settings.hosts import LocalFile

_Exempt = Annotated[str, StringConstraints(pattern=r"^\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$", max_length=253)]


class EgressSettings(Settings):
    """How the gateway and Friday reach OpenRouter from a network that lets nothing else out."""

    proxy: str | None = Field(
        default=None,
        pattern=r"^http://[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?:[0-9]{1,5}$",
        description="an HTTP proxy that takes CONNECT, as http://host:port, without name and password",
    )
    no_proxy: tuple[_Exempt, ...] = Field(
        default=(),
        max_length=50,
        description="a list of hosts, or of domains such as .example.com, for no proxy",
    )
    ca_file: LocalFile | None = Field(
        default=None, description="the path of a PEM file with the authorities to trust in place of the public ones"
    )
