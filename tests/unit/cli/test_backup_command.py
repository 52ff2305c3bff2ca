"""`fridayctl backup` and `restore`: the passphrase, what is printed, and exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from ops.backup import sealed
from tests.unit.ops.backup.backups import PASSPHRASE
from tests.unit.ops.backup.machines import Machine

Printed = pytest.CaptureFixture[str]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr(sealed, "WORK", 1 << 10)
    return Machine(tmp_path / "old", monkeypatch).add()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "passphrase"
    file.write_text(PASSPHRASE + "\n")
    return file


def given(file: Path, secret: Path, *more: str) -> list[str]:
    return [str(file), "--passphrase-file", str(secret), "--no-metrics", *more]


def test_there_and_back(
    machine: Machine, secret: Path, tmp_path: Path, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "backup.tar"
    assert main(["backup", "t", "-o", *given(file, secret)]) == 0
    shown = capsys.readouterr().out
    assert "state     t: 2 updates, the last of " in shown
    assert f"encrypted: ./fridayctl restore {file} puts it back" in shown
    assert PASSPHRASE not in shown

    new = Machine(tmp_path / "new", monkeypatch)
    assert main(["restore", *given(file, secret)]) == 0
    shown = capsys.readouterr().out
    assert ": whole, 7 files\n" in shown
    assert "next: ./fridayctl up t\n" in shown
    assert new.seen() == machine.seen()


def test_json_holds_no_secret(machine: Machine, secret: Path, tmp_path: Path, capsys: Printed) -> None:
    file = tmp_path / "backup.tar"
    assert main(["backup", "-o", *given(file, secret, "--json")]) == 0
    shown = capsys.readouterr().out
    found = json.loads(shown)
    assert (found["path"], found["bytes"]) == (str(file), file.stat().st_size)
    assert found["stacks"][0]["updates"] == 2
    assert "passphrase of old" not in shown
    assert main(["restore", *given(file, secret, "--json")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["stacks"], found["kept"], found["filled"], found["missingImages"]) == (["t"], None, [], [])


def test_what_was_replaced_is_named(machine: Machine, secret: Path, tmp_path: Path, capsys: Printed) -> None:
    file = tmp_path / "backup.tar"
    assert main(["backup", "-o", *given(file, secret)]) == 0
    machine.add(updates=3)
    assert main(["restore", *given(file, secret)]) == 2
    assert "the state of t: 3 updates, " in capsys.readouterr().err
    assert main(["restore", *given(file, secret, "--replace")]) == 0
    assert f"kept      what was here: {machine.state / 'replaced'}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read (no such file or directory)"),
        (b"\xff\xfe\n", "cannot be read (it is no text)"),
        (b"", "should have one line (got 0)"),
        (b"one\ntwo\n", "should have one line (got 2)"),
        (b"short\n", "has 5 characters, and should have 12 at least"),
    ],
)
def test_a_passphrase_that_is_none(
    machine: Machine, tmp_path: Path, capsys: Printed, content: bytes | None, said: str
) -> None:
    secret = tmp_path / "s"
    if content is not None:
        secret.write_bytes(content)
    assert main(["backup", "-o", *given(tmp_path / "backup.tar", secret)]) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert "\n  fix: " in shown
    assert not (tmp_path / "backup.tar").exists()


def test_without_a_terminal_it_is_not_asked_for(machine: Machine, tmp_path: Path, capsys: Printed) -> None:
    assert main(["backup", "-o", str(tmp_path / "b")]) == 2
    assert "--passphrase-file names a file" in capsys.readouterr().err


def test_at_a_terminal_it_is_asked_for_and_not_shown(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    def prompt(text: str, **how: Any) -> str:
        asked.append(how)
        return PASSPHRASE

    monkeypatch.setattr("click.prompt", prompt)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    assert main(["backup", "-o", str(tmp_path / "b"), "--no-metrics"]) == 0
    assert main(["restore", str(tmp_path / "b"), "--no-metrics"]) == 0
    assert [(how["hide_input"], how["confirmation_prompt"]) for how in asked] == [(True, True), (True, False)]


@pytest.mark.parametrize("name", ["nosuch", "a b", "../t"])
def test_an_unknown_stack_is_refused(
    machine: Machine, secret: Path, tmp_path: Path, capsys: Printed, name: str
) -> None:
    assert main(["backup", name, "-o", *given(tmp_path / "b", secret)]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "b").exists()
