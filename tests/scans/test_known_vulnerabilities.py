"""No known vulnerability in what is locked and built, but for those in accepted.yaml.

A source that is not reached is a skipped test with the reason: then nothing is known. `-m slow` runs them.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from images import contents, docker_cli, tags
from testing import go_tool, scans
from testing.scans import NotRunError, Vulnerability
from toolchain import lock, paths

pytestmark = pytest.mark.slow

BORNE = scans.accepted(Path(__file__).with_name("accepted.yaml"))
LOCKS = [source.with_suffix(".txt") for source in lock.sources(paths.ROOT)]
SUITE = tags.SUITE


def unborne(scan: Callable[[], list[Vulnerability]]) -> list[str]:
    """Return what is neither fixed nor borne; a scan that cannot be made skips the test."""
    try:
        found = scan()
    except NotRunError as error:
        pytest.skip(f"not run: {error}")
    return scans.problems(found, BORNE, dt.datetime.now(dt.UTC).date())


@pytest.mark.parametrize("file", LOCKS, ids=lambda path: str(path.relative_to(paths.ROOT)))
def test_no_locked_python_package_is_known_to_be_vulnerable(file: Path) -> None:
    assert unborne(lambda: scans.python(file)) == []


@pytest.fixture(scope="module")
def scanner() -> Path:
    return go_tool.ensure("govulncheck", "golang.org/x/vuln/cmd/govulncheck", lambda _: None)


def programs() -> list[Path]:
    """Return the Go programs that set-up builds here, or has found built."""
    found = [path for path in paths.toolchain_dir().rglob("*") if path.is_file() and path.stat().st_mode & 0o111]
    return sorted(path for path in found if path.read_bytes()[:4] == b"\x7fELF")


@pytest.mark.engine  # only with an engine are the tools set up
def test_no_go_program_has_a_function_that_is_known_to_be_vulnerable(scanner: Path) -> None:
    built = programs()
    assert {path.name for path in built} > {"pulumi", "pulumi-language-python"}
    assert unborne(lambda: [each for path in built for each in scans.go(path, scanner)]) == []


@pytest.fixture(scope="module")
def known() -> Mapping[str, Any] | NotRunError:
    try:
        return scans.tracker()
    except NotRunError as error:
        return error


@pytest.mark.engine
@pytest.mark.parametrize("part", tags.local_images())
def test_no_debian_package_of_an_image_has_a_fix_that_it_lacks(
    part: str, known: Mapping[str, Any] | NotRunError
) -> None:
    def scan() -> list[Vulnerability]:
        if isinstance(known, NotRunError):
            raise known
        with docker_cli.exported(tags.tag(part)) as root:
            return scans.debian(contents.read(root), part, SUITE, known)

    assert unborne(scan) == []
