"""Official release archives, checked against the release's own checksums file.

The checksums come from the release page over TLS. They prove that an archive is complete and the published one, but
not who published it. Tests use a server of their own, because they also run where release hosts cannot be reached.
"""

import hashlib
import platform
import re
from dataclasses import dataclass
from pathlib import Path

from toolchain import versions
from toolchain.runner import Report

_CONNECT_SECONDS = 4.0
_READ_SECONDS = 15.0
_MAX_BYTES = 500 * 10**6
_SHA256 = re.compile(r"^([0-9a-f]{64})\s+\*?(\S+)$", re.MULTILINE)


class DownloadError(Exception):
    """An archive cannot be downloaded or is not the published one; the caller tries the next way."""


@dataclass(frozen=True)
class Release:
    """One archive of a release: the release's address, the archive's and the checksums file's name."""

    base: str
    archive: str
    checksums: str


def target() -> str:
    """Return Go's names of this system and its processor. Raises DownloadError when no release is known for them."""
    processors = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
    processor = processors.get(platform.machine().lower())
    system = {"Linux": "linux", "Darwin": "darwin"}.get(platform.system())
    if system is None or processor is None:
        raise DownloadError(f"no release for {platform.system()} on {platform.machine()} is known here")
    return f"{system}-{processor}"


def pulumi_release() -> Release:
    """Return the Pulumi CLI's release; its archive holds the Python language host too."""
    return Release(
        f"https://github.com/pulumi/pulumi/releases/download/v{versions.PULUMI}",
        f"pulumi-v{versions.PULUMI}-{target().replace('amd64', 'x64')}.tar.gz",
        f"pulumi-{versions.PULUMI}-checksums.txt",
    )


def docker_provider_release() -> Release:
    """Return the release of Pulumi's Docker plugin."""
    return Release(
        f"https://github.com/pulumi/pulumi-docker/releases/download/v{versions.DOCKER_PROVIDER}",
        f"pulumi-resource-docker-v{versions.DOCKER_PROVIDER}-{target()}.tar.gz",
        f"pulumi-docker_{versions.DOCKER_PROVIDER}_checksums.txt",
    )


def fetch(release: Release, folder: Path, report: Report) -> Path:
    """Download a release's archive into `folder` and return it. Raises DownloadError when that or its check fails.

    Stops after 4 s without a connection, so that a network without release hosts costs little time.
    """
    import httpx  # noqa: PLC0415 - not needed when set-up is done already

    target, digest = folder / release.archive, hashlib.sha256()
    report(f"downloading {release.archive}")
    try:
        timeout = httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS)
        with httpx.Client(timeout=timeout, follow_redirects=True) as client:
            sums = client.get(f"{release.base}/{release.checksums}").raise_for_status().text
            with client.stream("GET", f"{release.base}/{release.archive}") as response, target.open("wb") as file:
                for block in response.raise_for_status().iter_bytes():
                    if response.num_bytes_downloaded > _MAX_BYTES:
                        raise DownloadError(f"{target.name} is larger than {_MAX_BYTES // 10**6} MB")
                    digest.update(block)
                    file.write(block)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise DownloadError(f"{release.base} does not answer: {str(error) or type(error).__name__}") from error
    wanted = {name: value for value, name in _SHA256.findall(sums)}.get(release.archive)
    found = digest.hexdigest()
    if found != wanted:
        target.unlink()
        raise DownloadError(f"{release.archive}: SHA-256 should be {wanted or 'in ' + release.checksums}, is {found}")
    return target
