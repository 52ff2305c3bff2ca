"""Which of today's settings the code of an earlier commit is given, and which of its commands are run."""

import subprocess
from pathlib import Path

import pytest

from ops.errors import OperationError
from ops.stacks import worktree


@pytest.fixture
def commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A repository before and after there were alerts; the names of both commits."""
    monkeypatch.setattr(worktree, "ROOT", tmp_path)
    for name, value in {"NAME": "t", "EMAIL": "t@example.com"}.items():
        for who in ("AUTHOR", "COMMITTER"):
            monkeypatch.setenv(f"GIT_{who}_{name}", value)

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "--quiet")
    found = []
    for path in ("components/edge.py", "components/alertmanager.py"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
        git("add", ".")
        git("commit", "--quiet", "-m", path)
        found.append(git("rev-parse", "HEAD"))
    return found


def test_channels_are_for_code_that_deploys_them(commits: list[str]) -> None:
    before, after = commits
    assert not worktree._tells_of_alerts(before)
    assert worktree._tells_of_alerts(after)


def commands(folder: Path, listed: str, code: int = 0) -> tuple[worktree._Commands, list[str]]:
    """Return the commands of a checkout that lists images so and ends everything else with a code; and its lines."""
    program = folder / "fridayctl"
    program.write_text(
        f'#!/bin/sh\nif [ "$2" = list ]; then echo \'{listed}\'; echo note >&2; exit 1; fi\necho "$@"\nexit {code}\n'
    )
    program.chmod(0o755)
    said = list[str]()
    return worktree._Commands(folder, "0123456789abcdef", said.append), said


@pytest.mark.parametrize(
    ("listed", "lacks"),
    [
        ('[{"image": "a", "built_here": true, "hosts": {"far": "missing", "near": "present"}}]', True),
        ('[{"image": "a", "built_here": true, "hosts": {"far": "present"}}]', False),
        ('[{"image": "registry.example/a", "built_here": false, "hosts": {"far": "missing"}}]', False),
        ("Usage: fridayctl images", False),
        ('[{"image": "a"}]', False),
    ],
)
def test_a_commit_of_its_own_says_which_of_its_images_are_missing(tmp_path: Path, listed: str, lacks: bool) -> None:
    assert commands(tmp_path, listed)[0].lacks_images("t") is lacks


def test_a_command_of_another_commit_is_heard_and_its_failure_is_one(tmp_path: Path) -> None:
    made, said = commands(tmp_path, "")
    made.run("images", "push", "t")
    assert said == ["images push t"]
    made, _ = commands(tmp_path, "", code=2)
    with pytest.raises(OperationError, match="the update from commit 0123456789ab failed") as caught:
        made.run("up", "t")
    assert caught.value.details == "up t"
