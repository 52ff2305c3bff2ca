"""The settings of the machine's apt: its mirror of Debian, in either file format, and the options to reach it."""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from toolchain import process

_COMPONENT = "main"
_POCKETS = ("", "-updates", "-security")
_APT_HELPER = "/usr/lib/apt/apt-helper"
# The options that reach the machine's mirror; other options of its apt are not copied.
_NETWORK_OPTIONS = re.compile(r"^Acquire::(?:Check-(?:Valid-Until|Date)|https?|Max-FutureTime)\b", re.IGNORECASE)


@dataclass(frozen=True)
class AptSource:
    """One archive of binary packages; `signed_by` is a key ring's path or empty."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""

    def line(self) -> str:
        """Return it in apt's one-line format."""
        options = f"[signed-by={self.signed_by}] " if self.signed_by else ""
        return f"deb {options}{self.uri} {self.suite} {' '.join(self.components)}"


def parse_one_line(text: str) -> Iterator[AptSource]:
    """Yield the binary archives of a sources.list; disabled lines and source packages are left out."""
    pattern = re.compile(r"^deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)(?P<components>.*)$")
    for line in text.splitlines():
        match = pattern.match(line.split("#", 1)[0].strip())
        if match and match["components"].split():
            options = dict(item.split("=", 1) for item in (match["options"] or "").split() if "=" in item)
            key_ring = _key_ring(options.get("signed-by", ""))
            yield AptSource(match["uri"], match["suite"], tuple(match["components"].split()), key_ring)


def parse_deb822(text: str) -> Iterator[AptSource]:
    """Yield the binary archives of a .sources file, one for each of a stanza's URIs and suites."""
    without_comments = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n[ \t]*\n", without_comments):
        fields = {
            key.lower(): " ".join(value.split())
            for key, value in re.findall(r"^([A-Za-z-]+):(.*(?:\n[ \t].*)*)", stanza, re.MULTILINE)
        }
        components = tuple(fields.get("components", "").split())
        enabled = fields.get("enabled", "yes").lower() not in {"no", "false", "0"}
        if enabled and components and "deb" in fields.get("types", "").split():
            for uri, suite in product(fields.get("uris", "").split(), fields.get("suites", "").split()):
                yield AptSource(uri, suite, components, _key_ring(fields.get("signed-by", "")))


def _key_ring(value: str) -> str:
    # A key may also be given by fingerprint or inline; then apt's trusted keys are used.
    return value if value.startswith("/") and " " not in value else ""


def debian_sources(suite: str, root: Path = Path("/")) -> list[AptSource]:
    """Return where the machine's apt gets Debian from, with `suite` in place of the machine's own release.

    The release comes first, then its updates and security. Empty where the machine is no Debian, or its apt names no
    archive of its release.
    """
    codename = _codename(root)
    apt = root / "etc/apt"
    found: list[AptSource] = []
    for path in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]:
        parse = {".list": parse_one_line, ".sources": parse_deb822}.get(path.suffix)
        if parse and path.is_file():
            found += parse(path.read_text(errors="replace"))
    usable = [replace(source, uri=_resolved(source.uri, root)) for source in found if _COMPONENT in source.components]
    pockets = [
        replace(source, suite=suite + pocket, components=(_COMPONENT,))
        for pocket in _POCKETS
        for source in usable
        if codename and source.uri and source.suite == codename + pocket
    ]
    # The same archive may be named twice.
    kept = list({(source.uri, source.suite): source for source in pockets}.values())
    return kept if kept and kept[0].suite == suite else []


def archives_beside(release: AptSource) -> list[AptSource]:
    """Return a release with its updates and security where Debian's own mirrors have them."""
    security = f"{release.uri.rstrip('/')}-security"
    return [
        release,
        replace(release, suite=f"{release.suite}-updates"),
        replace(release, uri=security, suite=f"{release.suite}-security"),
    ]


def is_served(source: AptSource) -> bool:
    """Return whether an archive can be reached with the machine's apt settings (proxy, certificates, logins)."""
    with tempfile.TemporaryDirectory(prefix="friday-release-") as folder:
        return _download(source, Path(folder) / "InRelease")


def codename(suite: str) -> str:
    """Return the code name of a release that `suite` names (`stable`), "" when the machine's apt cannot be asked."""
    with tempfile.TemporaryDirectory(prefix="friday-release-") as folder:
        file = Path(folder) / "InRelease"
        found = [source for source in debian_sources(suite)[:1] if _download(source, file)]
        named = re.search(r"^Codename: (\S+)$", file.read_text(errors="replace"), re.MULTILINE) if found else None
        return named.group(1) if named else ""


def _download(source: AptSource, target: Path) -> bool:
    address = f"{source.uri.rstrip('/')}/dists/{source.suite}/InRelease"
    return process.read([_APT_HELPER, "download-file", address, str(target)]) is not None


def _resolved(uri: str, root: Path) -> str:
    """Return a plain http(s) address; apt's own list-of-mirrors files are followed to their first entry."""
    if uri.startswith("mirror+file:"):
        listing = root / uri.removeprefix("mirror+file:").lstrip("/")
        lines = listing.read_text().split() if listing.is_file() else []
        uri = next((word for word in lines if word.startswith("http")), "")
    return uri.rstrip("/") if uri.startswith(("http://", "https://")) else ""


def _codename(root: Path) -> str:
    """Return the machine's Debian release, "" when it is none or has no name."""
    release = root / "etc/os-release"
    text = release.read_text() if release.is_file() else ""
    fields = dict(re.findall(r'^(ID|VERSION_CODENAME)="?([a-z]+)"?$', text, re.MULTILINE))
    return fields.get("VERSION_CODENAME", "") if fields.get("ID") == "debian" else ""


def network_options() -> str:
    """Return the machine's apt options about proxies, certificates and dates, as text of an apt.conf file."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    return "".join(f"{line}\n" for line in dump.splitlines() if _NETWORK_OPTIONS.match(line))
