"""A compose file is YAML as compose reads it, and each mistake has its file and line."""

from pathlib import Path

import pytest

from ops.compose.document import MOST_BYTES, load
from ops.errors import EXIT_USAGE, OperationError


def document(folder: Path, text: str) -> Path:
    path = folder / "compose.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_scalars_are_those_of_yaml_1_2(tmp_path: Path) -> None:
    values = "[on, yes, 22:22, 2024-01-01, 0o17, 0x10, 1.5, true, ~, '', 012]"
    found = load(document(tmp_path, f"services: {{a: {{x: {values}}}}}"))["services"]["a"]["x"]
    assert found == ["on", "yes", "22:22", "2024-01-01", 15, 16, 1.5, True, None, "", "012"]


def test_anchors_and_merge_keys(tmp_path: Path) -> None:
    text = """
x-base: &base
  restart: always
  environment: &env {A: "1", B: "2"}
services:
  friday:
    <<: *base
    environment:
      <<: *env
      B: "3"
"""
    friday = load(document(tmp_path, text))["services"]["friday"]
    assert friday == {"restart": "always", "environment": {"A": "1", "B": "3"}}
    assert friday["environment"].where("B") == "compose.yml:10"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("services: [", "compose.yml:1: should be YAML"),
        ("services:\n\tfriday: {}", "compose.yml:2: should be YAML"),
        ("services:\n  a: {image: x}\n  a: {image: y}", "compose.yml:3: a is there twice"),
        ("services:\n  a: &a [*a]", "compose.yml:2: should be YAML (an anchor that grows without end)"),
        ("services:\n  a: *nobody", "compose.yml:2: should be YAML"),
        ("services:\n  a: !reset null", "compose.yml:2: should be YAML"),
        ("services:\n  ? {a: b}\n  : c", "compose.yml:2: should be YAML (a key that is no text)"),
        ("version: '3'", "compose.yml: should have a map of services"),
        ("- a", "compose.yml: should have a map of services"),
        ("", "compose.yml: should have a map of services"),
        ("services:\n  a: {image: 0b2}\n--- {}", "compose.yml:3: should be YAML"),
        (f"services: {'[' * 3000}", "compose.yml: should be YAML (RecursionError)"),
        (
            "x: [&a [1,1,1,1,1,1,1,1,1,1], &b [*a,*a,*a,*a,*a,*a,*a,*a], &c [*b,*b,*b,*b,*b,*b,*b,*b], "
            "&d [*c,*c,*c,*c,*c,*c,*c,*c], &e [*d,*d,*d,*d,*d,*d,*d,*d], &f [*e,*e,*e,*e,*e,*e,*e]]\nservices: {}",
            "compose.yml:1: should be YAML (an anchor that grows without end)",
        ),
    ],
)
def test_what_is_no_compose_file_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(OperationError) as caught:
        load(document(tmp_path, text))
    assert caught.value.message.startswith(said)
    assert caught.value.exit_code == EXIT_USAGE


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="cannot be read"):
        load(tmp_path / "nobody.yml")
    (tmp_path / "bytes.yml").write_bytes(b"services: \xff")
    with pytest.raises(OperationError, match=r"should be UTF-8 \(byte 10 is not\)"):
        load(tmp_path / "bytes.yml")
    (tmp_path / "large.yml").write_bytes(b"#" * (MOST_BYTES + 1))
    with pytest.raises(OperationError, match="is larger than 1 MiB"):
        load(tmp_path / "large.yml")
