"""Settings read and written without Pulumi: what cannot mean anything else, and nothing else in the file changes."""

import errno
import json
import os
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi import automation as auto

from ops.errors import EXIT_USAGE, OperationError
from ops.stacks import config_at_hand, stack_config
from toolchain.paths import ROOT

PERCENTAGE = "friday-litellm:rolloutPercentage"
FILE = """\
# a word at the top
config:
  friday-litellm:upstream: simulator
  friday-litellm:rolloutPercentage: "50" # of all users
  friday-litellm:litellmEnabled: true
  friday-litellm:monitoring: {port: 9090, ratio: 0.25}
  friday-litellm:gatewayKey:
    secure: v1:abc
  friday-litellm:fridaySecrets:
    DATABASE_URL: {secure: v1:def}
encryptionsalt: v1:WY9=
"""
SETTINGS = {
    "friday-litellm:upstream": "simulator",
    PERCENTAGE: "50",
    "friday-litellm:litellmEnabled": "true",
    "friday-litellm:monitoring": '{"port":9090,"ratio":0.25}',
}


class Opened:
    """A stack whose command line only notes what it is asked."""

    name = "t"

    def __init__(self, folder: Path, text: str) -> None:
        self.workspace = auto.LocalWorkspace.__new__(auto.LocalWorkspace)
        self.workspace.work_dir = str(folder)
        self.file = folder / "Pulumi.t.yaml"
        self.file.write_text(text, encoding="utf-8", newline="")
        self.asked: list[object] = []

    def get_all_config(self) -> dict[str, auto.ConfigValue]:
        self.asked.append("get")
        return {"friday-litellm:a": auto.ConfigValue("1"), "friday-litellm:b": auto.ConfigValue("2", secret=True)}

    def set_all_config_json(self, given: str) -> None:
        self.asked.append(json.loads(given))

    def remove_all_config(self, keys: list[str]) -> None:
        self.asked.append(keys)

    @property
    def stack(self) -> auto.Stack:
        return cast("auto.Stack", self)


def test_settings_are_texts_and_secrets_are_left_out(tmp_path: Path) -> None:
    opened = Opened(tmp_path, FILE)
    assert stack_config.settings_of(opened.stack) == SETTINGS
    assert opened.asked == []


@pytest.mark.parametrize("path", sorted([*ROOT.glob("Pulumi.*.yaml"), *ROOT.glob("examples/*.yaml")]), ids=str)
def test_our_own_stack_files_need_no_pulumi(path: Path) -> None:
    assert config_at_hand.read(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "line",
    [
        "friday-litellm:a: on",
        "friday-litellm:a: y",
        "friday-litellm:a: True",
        "friday-litellm:a: ~",
        "friday-litellm:a: 010",
        "friday-litellm:a: 1_000",
        "friday-litellm:a: 0o17",
        "friday-litellm:a: 1e3",
        "friday-litellm:a: 1.0",
        "friday-litellm:a: .5",
        "friday-litellm:a: 12:30",
        "friday-litellm:a: 2026-11-28",
        "friday-litellm:a: !!str 5",
        "friday-litellm:a: !!int '5'",
        "friday-litellm:a: é",
        "friday-litellm:a: {1: x}",
        "friday-litellm:a: {<<: {b: c}}",
        "friday-litellm:a: x\n  friday-litellm:a: z",
        "a: x",
        "friday-litellm:a: [",
    ],
)
def test_what_could_be_read_in_two_ways_is_pulumis_to_read(line: str, tmp_path: Path) -> None:
    opened = Opened(tmp_path, f"config:\n  {line}\n")
    assert stack_config.settings_of(opened.stack) == {"friday-litellm:a": "1"}
    assert opened.asked == ["get"]


@pytest.mark.parametrize("text", ["", "- a", "config: x", "environment: [e]\nconfig:\n  a:b: c", "secretsprovider: x"])
def test_a_file_with_more_than_settings_is_pulumis_to_read(text: str) -> None:
    assert config_at_hand.read(text) is None


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_changed_setting_leaves_every_other_byte_alone(ends: str, tmp_path: Path) -> None:
    said = FILE.replace("\n", ends)
    opened = Opened(tmp_path, said)
    opened.file.chmod(0o640)
    stack_config.write_settings(opened.stack, {**SETTINGS, PERCENTAGE: "0", "friday-litellm:litellmEnabled": "false"})
    assert opened.asked == []
    expected = said.replace('"50"', '"0"').replace("Enabled: true", 'Enabled: "false"')
    assert opened.file.read_bytes().decode() == expected
    assert opened.file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == [opened.file.name]


def test_a_link_still_leads_to_the_file(tmp_path: Path) -> None:
    opened = Opened(tmp_path, FILE)
    real = opened.file.rename(tmp_path / "kept.yaml")
    opened.file.symlink_to(real)
    stack_config.write_settings(opened.stack, {**SETTINGS, PERCENTAGE: "10"})
    assert opened.file.is_symlink()
    assert '"10"' in real.read_text()


def test_a_file_that_cannot_be_written_is_named_and_left_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Opened(tmp_path, FILE)
    monkeypatch.setattr(stack_config, "rewrite", no_room)
    with pytest.raises(OperationError, match=f"{tmp_path} cannot be written") as caught:
        stack_config.write_settings(opened.stack, {**SETTINGS, PERCENTAGE: "10"})
    assert caught.value.exit_code == EXIT_USAGE
    assert f"df -h {tmp_path}" in caught.value.mend
    assert opened.file.read_text() == FILE


def no_room(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_nothing_to_change_writes_nothing(tmp_path: Path) -> None:
    opened = Opened(tmp_path, FILE)
    before = opened.file.stat().st_ino
    stack_config.write_settings(opened.stack, SETTINGS)
    assert opened.asked == []
    assert opened.file.stat().st_ino == before


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [
        ({"friday-litellm:new": "1"}, {"friday-litellm:new": {"value": "1", "secret": False}}),
        ({"friday-litellm:upstream": ""}, {"friday-litellm:upstream": {"value": "", "secret": False}}),
        (
            {"friday-litellm:monitoring": '{"port":1}'},
            {"friday-litellm:monitoring": {"value": '{"port":1}', "secret": False, "objectValue": {"port": 1}}},
        ),
    ],
)
def test_what_is_no_other_word_in_its_place_is_pulumis_to_write(wanted: Any, asked: object, tmp_path: Path) -> None:
    opened = Opened(tmp_path, FILE)
    stack_config.write_settings(opened.stack, {**SETTINGS, **wanted})
    assert opened.asked == [asked]
    assert opened.file.read_text() == FILE


def test_a_setting_that_goes_is_pulumis_to_remove_with_what_changes_beside_it(tmp_path: Path) -> None:
    opened = Opened(tmp_path, FILE)
    rest = {key: value for key, value in SETTINGS.items() if key != "friday-litellm:upstream"}
    stack_config.write_settings(opened.stack, {**rest, PERCENTAGE: "0"})
    assert opened.asked == [["friday-litellm:upstream"], {PERCENTAGE: {"value": "0", "secret": False}}]


def test_a_value_that_others_refer_to_is_not_changed_in_its_place() -> None:
    text = "config:\n  f:a: &same x\n  f:b: *same\n"
    assert config_at_hand.read(text) == {"f:a": "x", "f:b": "x"}
    assert config_at_hand.edited(text, {"f:a": "z"}) is None
    assert config_at_hand.edited(text, {"f:b": "z"}) is None


@given(
    st.text(min_size=1), st.sampled_from(["plain", "'single ''quoted'''", '"double \\" # quoted"', "|\n    block\n"])
)
def test_whatever_is_written_is_read_again_as_it_was_meant(value: str, before: str) -> None:
    text = f"config:\n  f:a: {before} # why\n  f:b: 7\n" if before[0] != "|" else f"config:\n  f:a: {before}  f:b: 7\n"
    after = config_at_hand.edited(text, {"f:a": value})
    assert after is None or config_at_hand.read(after) == {"f:a": value, "f:b": "7"}
    if value.isascii() and value.isprintable() and value[0] not in "{[" and before[0] != "|":
        assert after == text.replace(before, json.dumps(value))
