"""Deploy with the code of an earlier commit, in a checkout beside this one: the working tree is not touched."""

import filecmp
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pulumi import automation as auto
from pydantic import BaseModel, TypeAdapter, ValidationError

from ops.errors import EXIT_USAGE, OperationError
from ops.progress import Say
from ops.rollout.history import NOTIFY, Entry
from ops.rollout.rollback_plan import Step
from ops.stacks.stack_config import write_settings
from ops.stacks.stack_file import stack_file
from ops.stacks.workspace import open_workspace
from toolchain.environment import environment
from toolchain.paths import IN_OPERATOR_IMAGE, REQUIREMENTS, ROOT


def head() -> str:
    """Return the full name of this checkout's commit, "" where there is no git."""
    try:
        return _git("rev-parse", "--verify", "--quiet", "HEAD").stdout.strip()
    except OSError:
        return ""


def require(commit: str | None) -> str:
    """Return the full name of a commit; OperationError (exit code 2) when git does not have it here."""
    fix = "./fridayctl rollback --level 2 restores the settings with today's code"
    if IN_OPERATOR_IMAGE:
        what = "the operator image holds the code of one commit"
        raise OperationError(what, f"run it in a checkout, or `up` in the image of the older commit; {fix}", EXIT_USAGE)
    if not commit:
        raise OperationError("the history does not say which commit that update was made from", fix, EXIT_USAGE)
    found = _git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")
    if found.returncode:
        fix = f"git fetch, or {fix}"
        raise OperationError(f"commit {commit[:12]} is not in this repository", fix, EXIT_USAGE)
    return found.stdout.strip()


class _Listed(BaseModel):
    """An image in the list of a commit's own `./fridayctl images list --json`."""

    built_here: bool
    hosts: dict[str, str]


_LIST = TypeAdapter(list[_Listed])


def deploy_from(commit: str, target: Entry, stack: str, step: Step, say: Say, *, sends_images: bool) -> None:
    """Run that commit's own `./fridayctl up` with a step's settings; OperationError with its words when it fails.

    Of today's secrets, and of who is told, it gets what `target` had: that commit's code may not know what is newer.
    With `sends_images` its images are built and sent first where the stack's hosts lack some.
    """
    told = NOTIFY in target.config and _tells_of_alerts(commit)
    config = {key: value for key, value in step.config.items() if key != NOTIFY or told}
    with _checkout(commit, say) as folder:
        name = stack_file(stack).name
        shutil.copyfile(ROOT / name, folder / name)
        beside = auto.Stack.select(stack, open_workspace(folder))
        write_settings(beside, config)
        newer = [key for key, value in beside.get_all_config().items() if value.secret and key not in target.secrets]
        if newer:
            beside.remove_all_config(newer)
        own = _Commands(folder, commit, say)
        if sends_images and own.lacks_images(stack):
            say("a host lacks images of that commit: building and sending them")
            own.run("setup")
            own.run("images", "push", stack)
        own.run("up", stack, "-m", step.message)


class _Commands:
    """The commands of an earlier commit, run in its checkout."""

    def __init__(self, folder: Path, commit: str, say: Say) -> None:
        self._folder, self._commit, self._say = folder, commit, say
        # What this command set for itself must not decide for the other checkout.
        inherited = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        self._environment = {**inherited, **environment()}

    def lacks_images(self, stack: str) -> bool:
        """Return whether a host lacks an image that the commit builds; False where it cannot be told: `up` says why."""
        done = subprocess.run(
            [self._program, "images", "list", stack, "--json"],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        try:
            listed = _LIST.validate_json(done.stdout)
        except ValidationError:
            return False
        return any("missing" in image.hosts.values() for image in listed if image.built_here)

    def run(self, *arguments: str) -> None:
        """Run one and pass its lines on; OperationError with the last of them when it fails."""
        process = subprocess.Popen(
            [self._program, *arguments],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        said = []
        for text in process.stdout:
            said.append(text.rstrip())
            self._say(text.rstrip())
        if process.wait():
            fix = "fix what it names; ./fridayctl rollback --level 1 takes every user off LiteLLM meanwhile"
            message = f"the update from commit {self._commit[:12]} failed"
            raise OperationError(message, fix, details="\n".join(said[-20:]))

    @property
    def _program(self) -> str:
        return str(self._folder / "fridayctl")


def _tells_of_alerts(commit: str) -> bool:
    """Return whether the channels are deployed: before there were alerts they had fewer words, and only commands told.

    This command tells of the rollback itself.
    """
    return not _git("cat-file", "-e", f"{commit}:components/alertmanager.py").returncode


@contextmanager
def _checkout(commit: str, say: Say) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="friday-rollback-") as scratch:
        folder = Path(scratch) / "checkout"
        added = _git("worktree", "add", "--detach", "--quiet", str(folder), commit)
        if added.returncode:
            fix = "git worktree list shows what is in the way"
            raise OperationError(f"commit {commit[:12]} cannot be checked out", fix, EXIT_USAGE, added.stderr.strip())
        try:
            names = [lock.name for lock in REQUIREMENTS.glob("*.txt")]
            same, *_ = filecmp.cmpfiles(REQUIREMENTS, folder / REQUIREMENTS.relative_to(ROOT), names, shallow=False)
            if len(same) == len(names):
                (folder / ".venv").symlink_to(ROOT / ".venv")
            else:
                say("that commit locks other packages: it makes a .venv of its own, a minute more")
            yield folder
        finally:
            _git("worktree", "remove", "--force", str(folder))


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
