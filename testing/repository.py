"""A project's copy as a git repository of its own, for what asks which commit an update was made from."""

import subprocess

from testing.project import Project


def git(project: Project, *arguments: str) -> str:
    """Run git in the copy and return what it prints."""
    identity = ["-c", "user.name=t", "-c", "user.email=t@localhost"]
    done = subprocess.run(["git", *identity, *arguments], cwd=project.root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(project: Project, message: str) -> None:
    """Commit everything."""
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", message)
