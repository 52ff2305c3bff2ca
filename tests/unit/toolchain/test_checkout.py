"""The checkout as git sees it: a copy without what git ignores, and what is not committed."""

import subprocess
from pathlib import Path

import pytest

from toolchain import checkout, paths
from toolchain.errors import SetupError


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "repository"
    (root / "folder").mkdir(parents=True)
    for name, content in ((".gitignore", "ignored\n"), ("folder/known", "old\n"), ("gone", ""), ("ignored", "")):
        (root / name).write_text(content, encoding="utf-8")
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.invalid"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=root, check=True)
    (root / "gone").unlink()
    (root / "new").touch()
    monkeypatch.setattr(paths, "ROOT", root)
    return root


def test_a_copy_has_what_a_clone_would_have(repository: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    checkout.copy_to(copy)
    found = sorted(path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file())
    assert found == [".gitignore", "folder/known", "new"]


def test_changes_are_found_and_become_a_patch(repository: Path) -> None:
    names = ["folder/known", ".gitignore"]
    assert checkout.uncommitted(names) == []
    (repository / "folder/known").write_text("changed\n", encoding="utf-8")
    assert checkout.uncommitted(names) == ["folder/known"]
    assert "-old\n+changed\n" in checkout.difference(names)


def test_a_folder_without_git_is_an_error_with_a_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(SetupError, match="git status failed: fatal: not a git repository"):
        checkout.uncommitted([])
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="git does not start"):
        checkout.copy_to(tmp_path)
