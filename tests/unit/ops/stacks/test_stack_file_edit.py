"""A stack file is changed where a value stands; the rest of its text stays as it is."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.stacks.stack_file_edit import StackFileText

BLOCK = """\
# a stack
config:
  friday-litellm:upstream: openrouter # the real one
  friday-litellm:models:
    # the first
    - name: one # good
      id: v/one:free
      aliases: [a, b]
    - id: v/two:free
      name: two
      aliases:
        - c
        - d
    # the last
    - {name: three, id: "v/three:free"}
  friday-litellm:fallbackOrder: [one, two]
  friday-litellm:friday:
    directModel: v/two:free # cheap
    replicas: 2

# the end
"""
NEW = {"name": "new", "id": "v/new:free", "aliases": ("two", "openrouter/v/two:free"), "contextTokens": 7, "takes": ()}
WRITTEN = {**NEW, "aliases": list(NEW["aliases"]), "takes": []}  # type: ignore[call-overload]


def read(file: StackFileText) -> dict[str, Any]:
    return {key.partition(":")[2]: value for key, value in yaml.safe_load(file.changed)["config"].items()}


@pytest.mark.parametrize("number", [0, 1, 2])
def test_an_item_is_replaced_in_its_place(number: int) -> None:
    file = StackFileText("t", BLOCK)
    file.replace_item("models", number, NEW)
    models = read(file)["models"]
    assert models[number] == WRITTEN
    before = yaml.safe_load(BLOCK)["config"]["friday-litellm:models"]
    assert [each for each in models if each != WRITTEN] == [each for n, each in enumerate(before) if n != number]
    for comment in ("# the first", "# the last", "# cheap", "# the end", "# the real one"):
        assert comment in file.changed


def test_several_changes_are_made_at_once() -> None:
    file = StackFileText("t", BLOCK)
    file.replace_item("models", 0, NEW)
    file.replace_item("models", 2, {**NEW, "name": "other"})
    file.replace_word("fallbackOrder", "one", "new")
    file.replace_word("fallbackOrder", "nine", "new")
    file.replace_word("swarmHosts", "one", "new")
    file.set_in("friday", "directModel", "v/new:free")
    file.set_in("friday", "healthPath", "/h")
    found = read(file)
    assert [each["name"] for each in found["models"]] == ["new", "two", "other"]
    assert found["fallbackOrder"] == ["new", "two"]
    assert found["friday"] == {"directModel": "v/new:free", "replicas": 2, "healthPath": "/h"}


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("config:\n  friday-litellm:friday: {replicas: 2}\n", {"replicas": 2}),
        ("config:\n  friday-litellm:friday: {}\n", {}),
        ("config:\n    friday-litellm:upstream: x", {}),
        ("encryptionsalt: v1\nconfig:\n  friday-litellm:upstream: x\n# end\nother: y\n", {}),
    ],
)
def test_what_the_file_lacks_is_added(text: str, group: dict[str, Any]) -> None:
    file = StackFileText("t", text)
    assert not file.has("models")
    file.set_in("friday", "directModel", "v/new:free")
    file.add_list("models", [NEW, {"name": "two", "id": "v/two:free"}])
    found = read(file)
    assert found["friday"] == {**group, "directModel": "v/new:free"}
    assert found["models"] == [WRITTEN, {"name": "two", "id": "v/two:free"}]


def test_words_that_yaml_would_read_otherwise_are_quoted() -> None:
    file = StackFileText("t", BLOCK)
    words = ["yes", "1.5", "a b", "null", "qwen3.8-27b"]
    file.add_list("other", [{"aliases": words}])
    assert read(file)["other"] == [{"aliases": words}]


def test_a_setting_that_is_no_list_has_no_items() -> None:
    with pytest.raises(TypeError, match="upstream is no list"):
        StackFileText("t", BLOCK).replace_item("upstream", 0, NEW)


def test_the_diff_is_one_that_patches_apply(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.t.yaml").write_text(BLOCK)
    file = StackFileText("t", BLOCK)
    assert file.diff == ""
    file.replace_item("models", 1, NEW)
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=file.diff, text=True, check=True)
    assert (tmp_path / "Pulumi.t.yaml").read_text() == file.changed
