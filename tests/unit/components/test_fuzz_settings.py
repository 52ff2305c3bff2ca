"""Stack files with something wrong in them: one worded refusal, or settings that can be deployed."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import strategies as st

from components.settings.source import SettingsError, from_stack_file
from tests.unit.declared import declare
from tests.unit.given import SECRETS
from tests.unit.mutated import EACH_TIME_AND_MANY, damaged, fuzzed, mutated

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted([*ROOT.glob("Pulumi.*.yaml"), *ROOT.glob("examples/**/Pulumi.*.yaml")])


def text_of(document: Any) -> str:
    return yaml.dump(document, Dumper=yaml.CSafeDumper, allow_unicode=True)


@EACH_TIME_AND_MANY
def test_a_stack_file_is_refused_in_words_or_can_be_deployed(many: int, tmp_path: Path) -> None:
    valid = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in FILES]
    assert len(valid) > 2
    file, refused, taken = tmp_path / "Pulumi.t.yaml", 0, 0

    def check(content: bytes) -> None:
        nonlocal refused, taken
        file.write_bytes(content)
        try:
            chosen = from_stack_file(file, SECRETS, SECRETS)
        except SettingsError as error:
            refused += 1
            assert error.problems
            assert all(each.where.startswith("Pulumi.t.yaml") and each.fix for each in error.problems)
        else:
            taken += 1
            if taken % 10 == 1:  # the program takes some tenths of a second
                declare(chosen)
        assert file.read_bytes() == content

    # Not nested without end: where YAML's reader gives up on that, pytest's own hooks fail.
    fuzzed(check, damaged(st.sampled_from(valid).flatmap(mutated).map(text_of), deep=False), many)
    assert refused > many / 10
    assert taken > many / 100


def test_a_stack_file_nested_without_end_is_refused_in_words(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.t.yaml"
    file.write_text("config:\n  friday-litellm:friday: " + "[" * 5_000)
    with pytest.raises(SettingsError, match="should be YAML"):
        from_stack_file(file, SECRETS)
