"""How known vulnerabilities are found and judged, with the real scanners and sources that a test plays."""

import datetime as dt
import json
import subprocess
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from images.contents import Contents, Package
from testing import scans
from testing.receiver import Receiver, receiving
from testing.scans import Accepted, NotRunError, Vulnerability

TODAY = dt.date(2026, 11, 30)
FOUND = Vulnerability("jinja2", "3.1.0", "PYSEC-1", "runtime.txt", "3.1.6")
BORNE = Accepted(id="PYSEC-1", package="jinja2", reason="no template here is of a stranger's making", until=TODAY)


def locked(folder: Path) -> Path:
    file = folder / "requirements.txt"
    file.write_text(f"jinja2==3.1.0 \\\n    --hash=sha256:{'0' * 64}\n")
    return file


def asked(url: str) -> list[str]:
    return ["--vulnerability-service=osv", f"--osv-url={url}"]


def test_what_pip_audit_finds_is_named_with_its_fix(tmp_path: Path) -> None:
    events = [{"introduced": "0"}, {"fixed": "3.1.6"}]
    package = {"name": "jinja2", "ecosystem": "PyPI"}
    affected = [{"package": package, "ranges": [{"type": "ECOSYSTEM", "events": events}]}]
    answer = {"vulns": [{"id": "PYSEC-1", "summary": "made up", "affected": affected}]}
    with receiving(Receiver(body=json.dumps(answer).encode())) as source:
        found = scans.python(locked(tmp_path), asked(source.url))
    assert found == [Vulnerability("jinja2", "3.1.0", "PYSEC-1", "requirements.txt", "3.1.6")]
    assert str(found[0]) == "jinja2 3.1.0 in requirements.txt: PYSEC-1, fixed in 3.1.6"


def test_a_package_without_one_is_nothing(tmp_path: Path) -> None:
    with receiving(Receiver(body=b"{}")) as source:
        assert scans.python(locked(tmp_path), asked(source.url)) == []


def test_a_source_that_is_not_there_is_no_pass(tmp_path: Path) -> None:
    with pytest.raises(NotRunError, match="pip-audit: "):
        scans.python(locked(tmp_path), asked("http://127.0.0.1:9"))


def test_what_nobody_looked_at_is_said_and_all_of_it_is_no_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pip-audit ends well when PyPI's page of a package is not there, and says so in its JSON alone."""
    skipped = {"name": "b", "skip_reason": "Dependency not found on PyPI and could not be audited: b (1)"}
    audited = {"name": "a", "version": "1", "vulns": []}
    play(monkeypatch, json.dumps({"dependencies": [skipped]}))
    with pytest.raises(NotRunError, match="not found on PyPI"):
        scans.python(tmp_path / "lock.txt")
    play(monkeypatch, json.dumps({"dependencies": [audited, skipped]}))
    assert [each.package for each in scans.python(tmp_path / "lock.txt")] == ["b"]


def play(monkeypatch: pytest.MonkeyPatch, out: str, code: int = 0, err: str = "") -> None:
    done = subprocess.CompletedProcess([], code, out, err)
    monkeypatch.setattr(scans, "_run", lambda _: done)


def finding(**trace: str) -> str:
    step = {"module": "golang.org/x/net", "version": "v0.1.0", **trace}
    return json.dumps({"finding": {"osv": "GO-1", "fixed_version": "v0.2.0", "trace": [step]}}, indent=1)


def test_only_functions_that_a_go_program_has_count(monkeypatch: pytest.MonkeyPatch) -> None:
    program = Path("bin/pulumi")
    config = json.dumps({"config": {}})
    play(monkeypatch, config + finding() + finding(package="golang.org/x/net/http2"))
    assert scans.go(program, Path("govulncheck")) == []
    play(monkeypatch, config + "\n" + finding(function="NewFramer") + finding(function="Other"))
    assert scans.go(program, Path("govulncheck")) == [
        Vulnerability("golang.org/x/net", "v0.1.0", "GO-1", "pulumi", "v0.2.0")
    ]


def test_a_database_of_go_that_is_not_there_is_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, "", 1, "govulncheck: fetching vulnerabilities: no such host\n")
    with pytest.raises(NotRunError, match="no such host"):
        scans.go(Path("pulumi"), Path("govulncheck"))


def test_a_debian_package_is_vulnerable_where_its_release_has_fixed_it() -> None:
    image = Contents(
        "debian-13",
        (
            Package("debian", "libssl3t64", "3.5.1-1", "amd64", ("openssl", "3.5.1-1")),
            Package("debian", "openssl", "3.5.1-1", "amd64", ("openssl", "3.5.1-1")),
            Package("debian", "bash", "5.2", "amd64", ("bash", "5.2")),
            Package("python", "openssl", "1"),
        ),
    )

    def state(status: str, fixed: str, release: str = "trixie") -> dict[str, object]:
        return {"releases": {release: {"status": status, "fixed_version": fixed}}}

    known = {
        "openssl": {
            "CVE-1": state("resolved", "3.5.1-1+deb13u1"),
            "CVE-2": state("resolved", "3.5.0-1"),
            "CVE-3": state("resolved", "0"),
            "CVE-4": {"releases": {"trixie": {"status": "open"}}},
            "CVE-5": state("resolved", "3.5.1-1+deb13u1", "sid"),
        }
    }
    assert scans.debian(image, "edge", "trixie", known) == [
        Vulnerability("openssl", "3.5.1-1", "CVE-1", "edge", "3.5.1-1+deb13u1")
    ]


@pytest.mark.parametrize("body", [b"<html>", b""])
def test_a_tracker_that_answers_something_else_is_no_pass(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving(Receiver(body=body)) as source:
        monkeypatch.setattr(scans, "TRACKER", source.url)
        with pytest.raises(NotRunError):
            scans.tracker()


def test_the_tracker_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving(Receiver(body=b'{"bash": {}}')) as source:
        monkeypatch.setattr(scans, "TRACKER", source.url)
        assert scans.tracker() == {"bash": {}}
    monkeypatch.setattr(httpx, "get", refuse)
    with pytest.raises(NotRunError, match="refused"):
        scans.tracker()


def refuse(*_: object, **__: object) -> None:
    raise httpx.ConnectError("refused")


def test_what_is_borne_is_so_until_its_day_and_for_its_package_alone() -> None:
    other = Vulnerability("markupsafe", "1", "PYSEC-1", "runtime.txt")
    assert scans.problems([FOUND, FOUND], [], TODAY) == [str(FOUND)]
    assert scans.problems([FOUND], [BORNE], TODAY) == []
    assert scans.problems([FOUND, other], [BORNE], TODAY) == [str(other)]
    (late,) = scans.problems([FOUND], [BORNE], TODAY + dt.timedelta(days=1))
    assert late.endswith("(borne until 2026-11-30: look at it again)")


@pytest.mark.parametrize("lacking", ["reason", "until", "package", "id"])
def test_an_entry_that_says_too_little_is_refused(lacking: str, tmp_path: Path) -> None:
    entry = BORNE.model_dump(mode="json")
    file = tmp_path / "accepted.yaml"
    file.write_text(json.dumps([entry]))
    assert scans.accepted(file) == [BORNE]
    del entry[lacking]
    file.write_text(json.dumps([entry]))
    with pytest.raises(ValidationError, match=lacking):
        scans.accepted(file)
