"""Known vulnerabilities of what the project locks and builds, as three public sources know them.

Each source may be out of reach. Then nothing is known, and that is no pass: `NotRunError` says why.
"""

import datetime as dt
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import yaml
from pydantic import BaseModel, ConfigDict, Field

from images.contents import Contents

TRACKER = "https://security-tracker.debian.org/tracker/data/json"
_SECONDS = 300


class NotRunError(Exception):
    """A scan that could not be made, with the reason: its source does not answer."""


@dataclass(frozen=True, order=True)
class Vulnerability:
    """One that is known of a package; `fixed` is the version that has it no more ("" for none yet)."""

    package: str
    version: str
    id: str
    where: str
    fixed: str = ""

    def __str__(self) -> str:
        """Return it as a line."""
        fixed = f"fixed in {self.fixed}" if self.fixed else "no fix yet"
        return f"{self.package} {self.version} in {self.where}: {self.id}, {fixed}"


class Accepted(BaseModel):
    """A vulnerability that was looked at and is borne for a while."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    package: str = Field(min_length=1)
    reason: str = Field(min_length=20)
    until: dt.date


def accepted(file: Path) -> list[Accepted]:
    """Return the entries of the reviewed list; ValidationError names what is missing in one."""
    return [Accepted.model_validate(each) for each in yaml.safe_load(file.read_text(encoding="utf-8")) or ()]


def problems(found: Iterable[Vulnerability], borne: Sequence[Accepted], today: dt.date) -> list[str]:
    """Return a line for each vulnerability that is not borne, or not any more."""
    until = {(each.package, each.id): each.until for each in borne}
    said = []
    for each in sorted(set(found)):
        ends = until.get((each.package, each.id))
        if ends is None:
            said.append(str(each))
        elif ends < today:
            said.append(f"{each} (borne until {ends}: look at it again)")
    return said


def python(lock: Path, service: Sequence[str] = ()) -> list[Vulnerability]:
    """Ask PyPI about each package of a lock, by pip-audit; `service` are options for another source.

    NotRunError when none could be asked about: pip-audit calls that a success.
    """
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner=off"]
    done = _run([*command, "--format=json", "--timeout=20", *service, "--requirement", str(lock)])
    try:
        audited = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        raise NotRunError(f"pip-audit: {_last_line(done)}") from None
    known = [each for each in audited if "vulns" in each]
    if not known:
        why = audited[0]["skip_reason"] if audited else "nothing to look at"
        raise NotRunError(f"PyPI does not answer what is known of its packages (pip-audit: {why})")
    return [
        Vulnerability(each["name"], each["version"], vuln["id"], lock.name, ", ".join(vuln["fix_versions"]))
        for each in known
        for vuln in each["vulns"]
    ] + [Vulnerability(each["name"], "", "could not be looked at", lock.name) for each in audited if each not in known]


def go(program: Path, scanner: Path, database: Sequence[str] = ()) -> list[Vulnerability]:
    """Ask Go's database about a program, by govulncheck; only functions count that are in the program.

    `database` are options for another source. NotRunError when it does not answer.
    """
    done = _run([str(scanner), *database, "-format=json", "-mode=binary", str(program)])
    if done.returncode:
        raise NotRunError(_last_line(done))
    found = {}
    for message in _documents(done.stdout):
        finding = message.get("finding", {})
        trace: dict[str, str] = next(iter(finding.get("trace", ())), {})
        if "function" in trace:
            key = trace["module"], finding["osv"]
            found[key] = Vulnerability(
                trace["module"], trace["version"], finding["osv"], program.name, finding.get("fixed_version", "")
            )
    return list(found.values())


def tracker() -> Mapping[str, Any]:
    """Return what Debian's security team knows of each source package; NotRunError when it does not answer."""
    try:
        answer = httpx.get(TRACKER, timeout=60, follow_redirects=True)
        answer.raise_for_status()
        known: Mapping[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise NotRunError(f"{TRACKER}: {error}") from None
    return known


def debian(contents: Contents, where: str, release: str, known: Mapping[str, Any]) -> list[Vulnerability]:
    """Compare an image's Debian packages with the tracker: what a newer version of the same release has fixed.

    What Debian has not fixed yet, or holds for harmless, is not in it: nobody could do anything but wait.
    """
    found = set()
    for name, version in sorted({each.source for each in contents.packages if each.source}):
        for cve, entry in known.get(name, {}).items():
            state = entry.get("releases", {}).get(release, {})
            fixed = state.get("fixed_version", "")
            # "0" says that the release never had it.
            if state.get("status") == "resolved" and fixed not in ("", "0") and _is_older(version, fixed):
                found.add(Vulnerability(name, version, cve, where, fixed))
    return sorted(found)


@cache
def _is_older(version: str, other: str) -> bool:
    return subprocess.run(["dpkg", "--compare-versions", version, "lt", other], check=False).returncode == 0


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)


def _documents(text: str) -> Iterator[dict[str, Any]]:
    decoder, at = json.JSONDecoder(), 0
    text = text.strip()
    while at < len(text):
        document, at = decoder.raw_decode(text, at)
        at += len(text[at:]) - len(text[at:].lstrip())
        yield document


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    return next(iter(reversed((done.stderr or done.stdout).strip().splitlines())), f"ended with {done.returncode}")
