"""The tests of a proof are where it looks for them, and none that writes down what it tried is forgotten."""

import ast
from pathlib import Path

import pytest

from proof.selection import CHAPTERS, GROUPS, files, files_of, group_of, takes_long
from testing.record import Group

ROOT = Path(__file__).resolve().parents[3]


def records(file: Path) -> bool:
    """Return whether a file has a test or a fixture that asks for `record`."""
    found = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    functions = [node for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return any("record" in [argument.arg for argument in each.args.args] for each in functions if asks(each))


def asks(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    is_fixture = any("fixture" in ast.unparse(each) for each in function.decorator_list)
    return function.name.startswith("test_") or is_fixture


def test_every_group_has_a_chapter_and_tests() -> None:
    assert tuple(CHAPTERS) == GROUPS
    assert [group for group in GROUPS if not files_of(group)] == []


def test_each_file_that_records_belongs_to_one_group() -> None:
    recording = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").rglob("test_*.py")
        if not path.is_relative_to(ROOT / "tests" / "unit") and records(path)
    }
    assert len(recording) > 2
    assert recording - set(files(GROUPS)) == set(), "no group of proof/selection.py has them"
    assert len(files(GROUPS)) == len(set(files(GROUPS)))


@pytest.mark.parametrize("group", GROUPS)
def test_a_test_is_found_in_its_group(group: Group) -> None:
    assert {group_of(f"{file}::test_x[case]") for file in files_of(group)} == {group}


FAULTS = "tests/faults/test_faults.py::test_fault"


@pytest.mark.parametrize(
    ("test", "markers", "left_out"),
    [
        (f"{FAULTS}[redis is gone]", {"engine", "slow"}, False),
        (f"{FAULTS}[the edge crashes]", {"engine", "slow"}, True),
        (f"{FAULTS}[the edge crashes]", {"engine"}, False),
        (f"{FAULTS}[a gateway host is gone]", {"engine", "proof"}, True),
        ("tests/integration/test_local_stack.py::test_x[10]", {"slow"}, True),
        ("tests/integration/test_gateway_locks.py::test_x", set(), False),
    ],
)
def test_what_a_quick_proof_leaves_out(test: str, markers: set[str], left_out: bool) -> None:
    assert takes_long(test, markers) is left_out
