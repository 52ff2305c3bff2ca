"""A stack's history read in the files of Pulumi's backend."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from ops.stacks.history_at_hand import read


def operation(**given: Any) -> dict[str, Any]:
    """Return what Pulumi's backend keeps of one operation."""
    return {
        "kind": "update",
        "startTime": 1795841505,
        "message": "up: 50 %",
        "environment": {"git.head": "db15491"},
        "config": {},
        "version": 0,
        "result": "succeeded",
        "endTime": 1795841507,
        "resourceChanges": {"same": 37},
        **given,
    }


def write(folder: Path, nanoseconds: int, content: Any) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / f"t-{nanoseconds}.history.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    path.with_name(f"{path.name}.attrs").write_text("{}")
    path.with_name(f"t-{nanoseconds}.checkpoint.json").write_text("no history")


def test_the_newest_is_first(tmp_path: Path) -> None:
    for at in (1795820225772029594, 1795841507590745190, 1795830000000000000):
        write(tmp_path, at, operation(message=str(at)))
    found = read(tmp_path)
    assert found is not None
    assert [each.message for each in found] == ["1795841507590745190", "1795830000000000000", "1795820225772029594"]


def test_as_many_as_are_wanted_are_read(tmp_path: Path) -> None:
    write(tmp_path, 1, "cut sho")
    write(tmp_path, 2, operation(message="second"))
    write(tmp_path, 3, operation(message="third"))
    found = read(tmp_path, 2)
    assert found is not None
    assert [each.message for each in found] == ["third", "second"]


def test_what_an_operation_says(tmp_path: Path) -> None:
    write(tmp_path, 1, operation(kind="destroy", result="failed"))
    [found] = read(tmp_path) or []
    assert (found.kind, found.result, found.version) == ("destroy", "failed", 0)
    assert found.start_time == dt.datetime(2026, 11, 28, 4, 51, 45)
    assert found.end_time == dt.datetime(2026, 11, 28, 4, 51, 47)
    assert found.environment == {"git.head": "db15491"}
    assert found.resource_changes == {"same": 37}


def test_settings_are_text_and_secrets_are_left_out(tmp_path: Path) -> None:
    config = {
        "p:percentage": "50",
        "p:nested": {"z": ["<a & b>\u2028", 1], "a": True},
        "p:key": {"secure": "v1:x"},
        "p:deep": {"names": [{"KEY": {"secure": "v1:y"}}]},
    }
    write(tmp_path, 1, operation(config=config))
    [found] = read(tmp_path) or []
    assert {key: value.secret for key, value in found.config.items()} == {
        "p:percentage": False,
        "p:nested": False,
        "p:key": True,
        "p:deep": True,
    }
    assert found.config["p:percentage"].value == "50"
    assert found.config["p:nested"].value == r'{"a":true,"z":["\u003ca \u0026 b\u003e\u2028",1]}'
    assert not {"v1:x", "v1:y"} & {value.value for value in found.config.values()}


@pytest.mark.parametrize("content", ["", '{"kind": "upd', "[]", "{}", json.dumps(operation(config=None))])
def test_pulumi_is_asked_about_what_is_not_understood(tmp_path: Path, content: str) -> None:
    write(tmp_path, 1, operation())
    write(tmp_path, 2, content)
    assert read(tmp_path) is None


def test_pulumi_is_asked_about_a_stack_without_a_folder_and_about_compressed_files(tmp_path: Path) -> None:
    assert read(tmp_path / "other") is None
    write(tmp_path, 1, operation())
    (tmp_path / "t-2.history.json.gz").write_bytes(b"\x1f\x8b")
    assert read(tmp_path) is None
