"""The hash locks: every requirements file has one, and it is written whole or not at all."""

import re
from pathlib import Path

import pytest

from toolchain import lock, paths
from toolchain.errors import SetupError
from toolchain.lock import Move

UV = """#!/bin/sh
while [ $# -gt 2 ]; do
    [ "$1" = --constraints ] && echo "constrained $2" >>"$RECORD"
    [ "$1" = --output-file ] && out=$2
    shift
done
case "$2" in */bad.in) echo "no solution"; exit 1 ;; esac
[ -f "$out" ] && kept=$(cat "$out")
[ -n "$kept" ] || echo "lock of $2" >"$out"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "root"
    for name in (
        "requirements/dev",
        "requirements/runtime",
        "images/friday/requirements",
        "images/litellm/requirements",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / f"{name}.in").write_text("wanted", encoding="utf-8")
    uv = tmp_path / "uv"
    uv.write_text(UV, encoding="utf-8")
    uv.chmod(0o755)
    monkeypatch.setenv("RECORD", str(tmp_path / "record"))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    return root


def test_every_requirements_file_of_the_project_has_a_lock() -> None:
    assert len(lock.sources(paths.ROOT)) >= 6
    assert all(source.with_suffix(".txt").is_file() for source in lock.sources(paths.ROOT))


def test_writes_all_and_then_nothing(project: Path, tmp_path: Path) -> None:
    changed = [str(path.relative_to(project)) for path in lock.rewrite(False, lambda line: None, project)]
    assert changed == [
        "requirements/dev.txt",
        "requirements/runtime.txt",
        "images/friday/requirements.txt",
        "images/litellm/requirements.txt",
    ]
    assert (project / "requirements/runtime.txt").read_text(encoding="utf-8") == "lock of requirements/runtime.in\n"
    assert lock.rewrite(False, lambda line: None, project) == []
    # Everything but LiteLLM and the widest lock itself follows the widest lock.
    record = (tmp_path / "record").read_text(encoding="utf-8").splitlines()
    assert record == ["constrained requirements/dev.txt"] * 4


def test_a_failure_keeps_the_old_lock(project: Path) -> None:
    (project / "requirements/bad.in").write_text("wanted", encoding="utf-8")
    (project / "requirements/bad.txt").write_text("old", encoding="utf-8")
    with pytest.raises(SetupError, match="no solution"):
        lock.rewrite(False, lambda line: None, project)
    assert (project / "requirements/bad.txt").read_text(encoding="utf-8") == "old"
    assert sorted(path.suffix for path in (project / "requirements").iterdir()) == [".in", ".in", ".in", ".txt", ".txt"]


def test_moves_name_every_package_that_changed_with_its_locks(tmp_path: Path) -> None:
    for root, runtime, dev in (("old", "a==1\nb==1\n", "a==1\n"), ("new", "a==2 \\\n", "a==2\nc[x]==3 ; extra\n")):
        folder = tmp_path / root / "requirements"
        folder.mkdir(parents=True)
        for name, locked in (("runtime", runtime), ("dev", dev)):
            (folder / f"{name}.in").touch()
            (folder / f"{name}.txt").write_text(locked, encoding="utf-8")
    both = ("requirements/dev.txt", "requirements/runtime.txt")
    assert lock.moves(tmp_path / "old", tmp_path / "new") == [
        Move("a", "1", "2", both),
        Move("b", "1", "", both[1:]),
        Move("c", "", "3", both[:1]),
    ]


def test_every_package_of_a_lock_has_its_hashes() -> None:
    for source in lock.sources(paths.ROOT):
        text = source.with_suffix(".txt").read_text(encoding="utf-8")
        entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
        assert len(entries) >= len(lock.pinned(source.with_suffix(".txt"))) > 0  # a marker may divide versions
        assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
