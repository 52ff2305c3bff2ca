"""docs/FAULTS.md has every declared fault, and what it names elsewhere is there."""

import re
from pathlib import Path

import pytest

from docs import faults as page
from testing.faults.elsewhere import ELSEWHERE, Elsewhere
from testing.faults.hosts import HOSTS
from testing.faults.parts import PARTS
from toolchain.paths import ROOT


def test_the_tables_are_those_of_the_declarations() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.with_tables(text) == text, "run: python -m docs.faults"
    with pytest.raises(ValueError, match="place for the parts"):
        page.with_tables("# Faults\n")


def test_each_fault_has_a_name_of_its_own() -> None:
    names = [*(each.name for each in PARTS), *(each.name for each in HOSTS), *(each.name for each in ELSEWHERE)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("fault", ELSEWHERE, ids=lambda each: each.name)
def test_what_plays_a_fault_elsewhere_is_there(fault: Elsewhere) -> None:
    path, _, name = fault.test.partition("::")
    text = (ROOT / Path(path)).read_text(encoding="utf-8")
    assert re.search(rf"^def {name or 'test_'}", text, re.MULTILINE)
