"""SECURITY.md: each promise names what checks it, and all that it names is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in PAGE.splitlines() if line.startswith("| ")
]
PROMISES = [row for row in ROWS if row != ("promise", "checked by")]
CHECK = re.compile(r"`(?:\./fridayctl (?P<command>[a-z]+)|(?P<path>[\w/]+\.py)::(?P<test>test_\w+))`")


@cache
def declared_in(path: str) -> set[str]:
    """Return the functions of a file below tests/."""
    tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_there_are_promises_of_every_kind() -> None:
    headings = re.findall(r"^## (.+)", PAGE, re.MULTILINE)
    assert {"It costs nothing", "Who reaches what", "Secrets", "Containers", "Supply chain"} < set(headings)
    assert {"What is not promised", "Report a hole"} < set(headings)
    assert len(PROMISES) > 30


@pytest.mark.parametrize("row", PROMISES, ids=lambda row: row[0][:50])
def test_what_checks_a_promise_is_there(row: tuple[str, ...]) -> None:
    _, checks = row
    found = list(CHECK.finditer(checks))
    assert CHECK.sub("", checks).strip() == "", "something that is neither a test nor a command"
    assert any(each["test"] for each in found), "no test checks it"
    for each in found:
        if each["test"]:
            assert each["test"] in declared_in(each["path"])
        else:
            assert each["command"] in COMMANDS
