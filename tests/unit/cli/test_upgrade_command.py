"""`fridayctl upgrade`: what it prints, and its exit codes."""

import json

import pytest

from cli.main import main
from ops.commands import upgrade
from ops.commands.upgrade import Status, Upgraded
from ops.errors import EXIT_USAGE
from toolchain.lock import Move

FOUND = [
    Status("litellm", "the gateway", "1.108.13", "1.108.14", "1.110.2"),
    Status("python", "packages", "9 packages"),
    Status("go", "the toolchain", "1.27.3", problem="PyPI: nobody answers"),
]
DONE = Upgraded(
    "pulumi",
    "3.1.0",
    "3.2.0",
    ["toolchain/versions.py"],
    [Move("pulumi", "3.1.0", "3.2.0", ("requirements/runtime.txt",)), Move("new", "", "1", ("requirements/dev.txt",))],
    [],
    ["tests/unit"],
    "nothing",
    ["read on"],
)


@pytest.mark.parametrize("arguments", [["upgrade"], ["upgrade", "--list"]])
def test_the_list_says_what_is_served(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(upgrade, "statuses", lambda report: FOUND)
    assert main(arguments) == 1
    shown = capsys.readouterr()
    assert "1.108.14 (1.110.2 is another line: --to 1.110.2)" in shown.out
    assert "./fridayctl upgrade python --dry-run" in shown.out
    assert "not known" in shown.out
    assert shown.err == "go: PyPI: nobody answers\n"
    monkeypatch.setattr(upgrade, "statuses", lambda report: FOUND[:2])
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["beyond"] == "1.110.2"


@pytest.mark.parametrize("dry_run", [True, False])
def test_it_says_what_changed_and_what_is_left(
    dry_run: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def done(pin: object, to: str, report: object, *, dry_run: bool) -> Upgraded:
        asked.append((to, dry_run))
        return DONE

    asked: list[tuple[str, bool]] = []
    monkeypatch.setattr(upgrade, "upgrade", done)
    options = ["--dry-run"] if dry_run else []
    assert main(["upgrade", "pulumi", "--to", "3.2.0", *options]) == 0
    assert asked == [("3.2.0", dry_run)]
    shown = capsys.readouterr().out
    assert shown.startswith("pulumi: 3.1.0 -> 3.2.0\n")
    assert f"{'would change' if dry_run else 'changed'}: toolchain/versions.py\n" in shown
    assert "images with another tag: none\n" in shown
    assert f"{'tests to pass' if dry_run else 'passed'}: tests/unit\n" in shown
    assert shown.endswith("by hand:\n  - read on\n")
    assert main(["upgrade", "pulumi", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["packages"][1]["locks"] == ["requirements/dev.txt"]


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        (Upgraded("go", "1.2", "1.2"), "go: 1.2 is the newest that is served\n"),
        (Upgraded("python", "", ""), "python: every package is the newest that is served\n"),
    ],
)
def test_nothing_newer_is_said(
    done: Upgraded, expected: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(upgrade, "upgrade", lambda *_, **__: done)
    assert main(["upgrade", done.pin]) == 0
    assert capsys.readouterr().out == expected


@pytest.mark.parametrize("words", [["nonsense"], ["--to", "1"], ["--dry-run"], ["go", "--list"]])
def test_wrong_usage_asks_nobody(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("statuses", "upgrade"):
        monkeypatch.setattr(upgrade, name, lambda *_, **__: pytest.fail("asked"))
    assert main(["upgrade", *words]) == EXIT_USAGE
    assert "Error" in capsys.readouterr().err
