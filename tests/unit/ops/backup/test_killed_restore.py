"""A restore that is killed leaves the old or the new, and the next command knows which."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ops.deployment import Deployment
from ops.stacks import restoring
from tests.unit.ops.backup.machines import Machines, put_back, quiet, refused, saved
from toolchain import files


class Killed(BaseException):
    """The process ends here."""


@contextmanager
def killed_after(steps: int, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """End a restore at the so many-th change of a file in its last phase."""
    left = [steps]

    def count(act: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **named: Any) -> Any:
            if not left[0]:
                raise Killed
            left[0] -= 1
            return act(*given, **named)

        return counted

    with patch.context() as during:
        during.setattr(files, "publish", count(files.publish))
        during.setattr(files, "write_private", count(files.write_private))
        during.setattr(Path, "rename", count(Path.rename))
        during.setattr(Path, "unlink", count(Path.unlink))
        with pytest.raises(Killed):
            yield


@pytest.mark.parametrize("steps", range(14))
def test_a_kill_leaves_the_old_or_the_new(
    machine: Machines, file: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    here = machine("old").add(updates=2)
    new = here.seen()
    saved(file)
    here.add(updates=3, percentage=60)
    old = here.seen()
    with killed_after(steps, monkeypatch):
        put_back(file, replace=True)
    said: list[str] = []
    restoring.finish(said.append)
    shutil.rmtree(here.state / "replaced")
    assert here.seen() == (new if said else old)
    assert bool(said) == bool(steps), "the plan is the first file, and from it on it is the new"


def test_the_next_command_finishes_it(machine: Machines, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = machine("old").add(updates=2)
    saved(file)
    here.add(updates=3, percentage=60)
    with killed_after(3, monkeypatch):
        put_back(file, replace=True)
    said: list[str] = []
    assert Deployment.open("t", lambda _, text: said.append(text)).settings.rollout_percentage == 50
    assert said == ["a restore was cut short; it is finished now"]


def test_one_that_was_killed_before_is_not_passed_over(machine: Machines, file: Path) -> None:
    here = machine("old").add()
    saved(file)
    (here.state / "restoring").mkdir()
    said = refused(lambda: Deployment.open("t", quiet))
    assert "a restore was cut short before it changed the state" in said
    put_back(file)
    Deployment.open("t", quiet)


def test_two_at_a_time_are_refused(machine: Machines, file: Path) -> None:
    machine("old").add()
    saved(file)
    with restoring.begun([]):
        assert "a restore is going on here" in refused(lambda: put_back(file))
        assert "a restore is going on here" in refused(lambda: Deployment.open("t", quiet))
