"""Which of today's settings the code of an earlier commit is given."""

import subprocess
from pathlib import Path

import pytest

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
