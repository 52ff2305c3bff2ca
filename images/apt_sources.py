"""The settings of the machine's apt: mirror, suite and components, in either file format."""

import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from images import ImageError

# Ubuntu has redis in universe; Debian has all packages in main.
_COMPONENTS = ("main", "universe")
_POCKETS = ("", "-updates", "-security")
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


def machine_sources(root: Path = Path("/")) -> list[AptSource]:
    """Return the machine's archives that belong to its own release: the release, its updates and security.

    Raises ImageError when the machine is no Debian or Ubuntu, or its apt names no archive of its release.
    """
    codename = _codename(root)
    apt = root / "etc/apt"
    found: list[AptSource] = []
    for path in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]:
        parse = {".list": parse_one_line, ".sources": parse_deb822}.get(path.suffix)
        if parse and path.is_file():
            found += parse(path.read_text(errors="replace"))
    usable = list(_usable(found, codename, root))
    if not any(source.suite == codename for source in usable):
        raise ImageError(
            f"{apt}: expected an apt source for {codename} with the component main, found none; "
            "add one, or make an image registry reachable"
        )
    return usable


def _usable(found: Iterable[AptSource], codename: str, root: Path) -> Iterator[AptSource]:
    seen: set[tuple[str, str]] = set()
    for source in found:
        components = tuple(name for name in _COMPONENTS if name in source.components)
        uri = _resolved(source.uri, root)
        if not components or not uri or (uri, source.suite) in seen:
            continue
        if source.suite in {codename + pocket for pocket in _POCKETS}:
            seen.add((uri, source.suite))
            yield AptSource(uri, source.suite, components, source.signed_by)


def _resolved(uri: str, root: Path) -> str:
    """Return a plain http(s) address; apt's own list-of-mirrors files are followed to their first entry."""
    if uri.startswith("mirror+file:"):
        listing = root / uri.removeprefix("mirror+file:").lstrip("/")
        lines = listing.read_text().split() if listing.is_file() else []
        uri = next((word for word in lines if word.startswith("http")), "")
    return uri.rstrip("/") if uri.startswith(("http://", "https://")) else ""


def _codename(root: Path) -> str:
    release = root / "etc/os-release"
    text = release.read_text() if release.is_file() else ""
    match = re.search(r'^VERSION_CODENAME="?([a-z]+)"?$', text, re.MULTILINE)
    if not match:
        raise ImageError(
            f"{release}: expected VERSION_CODENAME of a Debian or Ubuntu release, found none; "
            "without an image registry the base image can only be made on one of these"
        )
    return match[1]


def network_options() -> str:
    """Return the machine's apt options about proxies, certificates and dates, as text of an apt.conf file."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    return "".join(f"{line}\n" for line in dump.splitlines() if _NETWORK_OPTIONS.match(line))
