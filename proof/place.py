"""Where a proof ran: this checkout, the versions of all that took part, the machine of the Docker engine."""

import os
import platform
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from images import docker_cli, tags
from proof.model import Fact
from toolchain import docker_engine, paths, process, pulumi

_UNKNOWN: Final = "unknown"
_MIB: Final = 1 << 20
_INFO: Final = {
    "Kernel": "{{.OperatingSystem}}, {{.KernelVersion}}, {{.Architecture}}",
    "Processors": "{{.NCPU}}",
    "Memory": "{{.MemTotal}}",
}


def _debian(package: str) -> list[str]:
    return ["dpkg-query", "--show", "--showformat=${Version}", package]


_PARTS: Final = {
    "LiteLLM": ("litellm", ["python3", "-c", "from importlib.metadata import version; print(version('litellm'))"]),
    "HAProxy": ("edge", _debian("haproxy")),
    "Redis": ("redis", _debian("redis-server")),
    "Prometheus": ("prometheus", _debian("prometheus")),
    "Alertmanager": ("alertmanager", _debian("prometheus-alertmanager")),
}
"""What says the version of each, asked inside the image of a part."""


def commit() -> str:
    """Return the commit of this checkout, with a word where files differ from it; without git "unknown"."""
    found = process.read(["git", "rev-parse", "--short=12", "HEAD"], cwd=paths.ROOT)
    if not found:
        return _UNKNOWN
    changed = process.read(["git", "status", "--porcelain"], cwd=paths.ROOT)
    return f"{found} with changed files" if changed else found


def facts() -> Iterator[Fact]:
    """Yield versions and the machine as they are found; ImageError when an image of the stack does not say its own."""
    engine = docker_engine.ask()
    yield Fact(name="friday-litellm", value=commit())
    yield Fact(name="Python", value=platform.python_version())
    yield Fact(name="Pulumi", value=pulumi.version_of(paths.tools_bin() / "pulumi") or _UNKNOWN)
    yield Fact(name="Docker plugin", value=pulumi.docker_plugin())
    yield Fact(name="Docker engine", value=f"{engine.version} (API {engine.api}), {docker_engine.traits().shown}")
    with ThreadPoolExecutor() as pool:
        asked = [(tags.tag(part), command) for part, command in _PARTS.values()]
        versions = pool.map(lambda each: docker_cli.output_of(*each), asked)
        yield from (Fact(name=name, value=found) for name, found in zip(_PARTS, versions, strict=True))
    yield Fact(name="Load when it began", value=f"{os.getloadavg()[0]:.1f}")
    for name, template in _INFO.items():
        found = process.read(["docker", "info", "--format", template]) or _UNKNOWN
        yield Fact(name=name, value=f"{int(found) / _MIB:,.0f} MiB" if name == "Memory" and found.isdigit() else found)
