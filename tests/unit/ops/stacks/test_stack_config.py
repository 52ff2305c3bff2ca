"""Settings are read and written by Pulumi; what a write was refused leaves the stack file as it was."""

import errno
import json
import os
from pathlib import Path
from typing import Any, cast

import pytest
from pulumi import automation as auto

from ops.errors import EXIT_USAGE, OperationError
from ops.stacks import stack_config

PERCENTAGE, MONITORING = "friday-litellm:rolloutPercentage", "friday-litellm:monitoring"
FILE = '# a word at the top\r\nconfig:\r\n  friday-litellm:rolloutPercentage: "50" # of all users\r\n'
SETTINGS = {"friday-litellm:upstream": "simulator", PERCENTAGE: "50", MONITORING: '{"port":9090,"ratio":0.25}'}


class Opened:
    """A stack whose command line notes what it is asked to write, after spoiling the file; it may refuse."""

    name = "t"

    def __init__(self, folder: Path, refusal: Exception | None = None) -> None:
        self.workspace = auto.LocalWorkspace.__new__(auto.LocalWorkspace)
        self.workspace.work_dir = str(folder)
        self.file = folder / "Pulumi.t.yaml"
        self.file.write_text(FILE, encoding="utf-8", newline="")
        self.asked: list[object] = []
        self._refusal = refusal

    def get_all_config(self) -> dict[str, auto.ConfigValue]:
        found = {key: auto.ConfigValue(value) for key, value in SETTINGS.items()}
        return {**found, "friday-litellm:gatewayKey": auto.ConfigValue("plain", secret=True)}

    def set_all_config_json(self, given: str) -> None:
        self._write(json.loads(given))

    def remove_all_config(self, keys: list[str]) -> None:
        self._write(keys)

    def _write(self, asked: object) -> None:
        self.asked.append(asked)
        if self._refusal:
            self.file.write_text("conf")
            raise self._refusal

    @property
    def stack(self) -> auto.Stack:
        return cast("auto.Stack", self)


def test_secrets_are_left_out(tmp_path: Path) -> None:
    assert stack_config.settings_of(Opened(tmp_path).stack) == SETTINGS


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [
        (SETTINGS, []),
        ({**SETTINGS, MONITORING: '{"ratio": 0.25, "port": 9090}'}, []),
        ({**SETTINGS, PERCENTAGE: "0"}, [{PERCENTAGE: {"value": "0", "secret": False}}]),
        ({**SETTINGS, PERCENTAGE: ""}, [{PERCENTAGE: {"value": "", "secret": False}}]),
        (
            {**SETTINGS, MONITORING: '{"port":1}'},
            [{MONITORING: {"value": '{"port":1}', "secret": False, "objectValue": {"port": 1}}}],
        ),
        (
            {PERCENTAGE: "0", MONITORING: SETTINGS[MONITORING]},
            [["friday-litellm:upstream"], {PERCENTAGE: {"value": "0", "secret": False}}],
        ),
    ],
)
def test_what_differs_is_written_with_its_type_and_nothing_else(
    wanted: dict[str, str], asked: list[object], tmp_path: Path
) -> None:
    opened = Opened(tmp_path)
    stack_config.write_settings(opened.stack, wanted)
    assert opened.asked == asked


def test_a_write_that_is_refused_half_way_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    refusal = auto.CommandError(auto.CommandResult("", "error: no space left on device", 255))
    opened = Opened(tmp_path, refusal)
    opened.file.chmod(0o640)
    with pytest.raises(OperationError, match=f"{opened.file} cannot be written") as caught:
        stack_config.write_settings(opened.stack, {**SETTINGS, PERCENTAGE: "0"})
    assert (caught.value.exit_code, caught.value.details) == (EXIT_USAGE, "error: no space left on device")
    assert opened.file.read_bytes().decode() == FILE
    assert opened.file.stat().st_mode & 0o777 == 0o640


def test_without_room_pulumi_is_not_asked_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    opened = Opened(tmp_path)
    monkeypatch.setattr(stack_config, "rewrite", no_room)
    with pytest.raises(OperationError, match=f"{tmp_path} cannot be written") as caught:
        stack_config.write_settings(opened.stack, {**SETTINGS, PERCENTAGE: "10"})
    assert caught.value.exit_code == EXIT_USAGE
    assert f"df -h {tmp_path}" in caught.value.fix
    assert (opened.asked, opened.file.read_bytes().decode()) == ([], FILE)


def test_a_link_still_leads_to_the_file(tmp_path: Path) -> None:
    opened = Opened(tmp_path)
    real = opened.file.rename(tmp_path / "kept.yaml")
    opened.file.symlink_to(real)
    stack_config.put(opened.file, "config: {}\n")
    assert opened.file.is_symlink()
    assert real.read_text() == "config: {}\n"


@pytest.mark.parametrize("error", [auto.CommandError(auto.CommandResult("", "error: x", 255)), KeyError("value")])
def test_settings_that_pulumi_cannot_read_are_one_message(error: Exception, tmp_path: Path) -> None:
    def refuse() -> Any:
        raise error

    opened = Opened(tmp_path)
    opened.get_all_config = refuse  # type: ignore[method-assign]
    with pytest.raises(OperationError, match=f"{opened.file} cannot be read") as caught:
        stack_config.settings_of(opened.stack)
    assert caught.value.exit_code == EXIT_USAGE
