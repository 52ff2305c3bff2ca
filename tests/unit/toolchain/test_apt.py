"""Packages of the distribution."""

import os
from pathlib import Path

import pytest

from tests.unit.toolchain.conftest import Stub
from toolchain import apt
from toolchain.errors import SetupError


def test_without_root_the_command_to_type_is_told(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    stub("apt-get", "exit 0")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SetupError, match="a b are missing") as caught:
        apt.install(["a", "b"], "both are needed", print)
    assert caught.value.fix == "sudo apt-get install a b"


def test_lists_are_refreshed_only_when_they_prove_old(
    stub: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    updated = tmp_path / "updated"
    stub("apt-get", f'case "$*" in update) touch {updated} ;; *) [ -f {updated} ] ;; esac')
    lines: list[str] = []
    apt.install(["debootstrap"], "makes the base image", lines.append)
    assert len(lines) == 2
    assert lines[1].startswith("apt-get update")
    apt.install(["debootstrap"], "makes the base image", lines.append)
    assert len(lines) == 3


def test_a_package_that_cannot_be_had_shows_apts_words(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    stub("apt-get", '[ "$1" = update ] || { echo "E: Unable to locate package nope"; exit 100; }')
    with pytest.raises(SetupError, match="Unable to locate package nope"):
        apt.install(["nope"], "never", lambda line: None)
