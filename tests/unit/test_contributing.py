"""CONTRIBUTING.md sends nobody to a file that is not there, and to two files at most."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "CONTRIBUTING.md"
REQUESTS = (
    *("gate", "when the next step may come", "ssh option", "alert rule", "rollback level", "Grafana"),
    *("remote backend", "error", "preflight check", "command", "environment variable", "model of the catalogue"),
)
"""What a newcomer is most likely to want."""


def rows() -> dict[str, list[str]]:
    """Return the files that each row of the table names, by what somebody wants to change."""
    section = PAGE.read_text(encoding="utf-8").partition("## I want to change X\n")[2].partition("\n## ")[0]
    table = re.findall(r"^\| ([^|]+) \| ([^|]+) \| [^|]*\|$", section, re.MULTILINE)
    return {wish: re.findall(r"\]\(([^)]+)\)", files) for wish, files in table[2:]}


@pytest.mark.parametrize("request_", REQUESTS)
def test_the_table_answers_what_newcomers_ask(request_: str) -> None:
    assert [wish for wish in rows() if request_ in wish]


@pytest.mark.parametrize(("wish", "files"), rows().items(), ids=rows())
def test_each_row_names_one_or_two_files_that_exist(wish: str, files: list[str]) -> None:
    assert 1 <= len(set(files)) <= 2
    assert [file for file in files if not (PAGE.parent / file).is_file()] == []


def test_the_rooms_are_the_folders_that_hold_code() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## Rooms\n")[2].partition("\n## ")[0]
    named = {target.removeprefix("../") for target in re.findall(r"\[[\w/]+/\]\(([^)]+)\)", section)}
    packages = {path.parent.relative_to(ROOT) for path in ROOT.glob("*/__init__.py")}
    rooms = {path.parent.relative_to(ROOT) for path in (ROOT / "ops").glob("*/__init__.py")}
    assert named == {str(path) for path in packages - {Path("ops")} | rooms}


def test_the_tests_that_upgrading_relies_on_exist() -> None:
    page = (ROOT / "docs" / "UPGRADING.md").read_text(encoding="utf-8")
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    names = set(re.findall(r"`(test_\w+)`", page))
    assert names
    assert {name for name in names if f"def {name}(" not in tests} == set()
    paths = re.findall(r"`(tests/[\w/.]+)`", page)
    assert [path for path in paths if not (ROOT / path).exists()] == []
