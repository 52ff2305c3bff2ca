"""What must run once: a migration before new replicas start, and a worker of which there are never two."""

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest

from images import build, tags
from testing.project import Project

pytestmark = [pytest.mark.engine, pytest.mark.beside]

_DOCKERFILE = """
FROM {friday}
USER root
RUN mkdir /state /own && chown 1000:1000 /state /own
ENTRYPOINT ["sh", "-c", "{entry}"]
"""
# As if what it needs were away at first: each replica ends twice before it serves.
_ENTRY = "n=$(cat /own/n || echo 0); echo $((n+1)) >/own/n; [ $n -ge 2 ] || exit 1; exec python3 -m friday.service"
TAG = "friday-of-the-team:once"
GOOD = ["sh", "-c", 'echo "tables of $DATABASE_URL made" && echo ran >> /state/migrated']
FAILS = ["sh", "-c", "echo the table users is locked >&2; exit 3"]
WORKS = [
    "sh",
    "-c",
    "trap 'echo stop >> /state/jobs; exit' TERM; echo start | tee -a /state/jobs; while :; do sleep 0.2; done",
]
HANGS = ["sh", "-c", "echo waiting for a lock; sleep 600"]


def friday(project: Project, command: list[str], seconds: int = 60, **changes: Any) -> dict[str, Any]:
    """Return Friday's settings with a migration."""
    return {**project.settings["friday"], "migrate": {"command": command, "seconds": seconds}, **changes}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    made = Project.create(tmp_path_factory.mktemp("migrate"))
    build.ensure(print, [each for each in tags.IMAGES if each.name == "friday"])
    dockerfile = _DOCKERFILE.format(friday=tags.tag("friday"), entry=_ENTRY).encode()
    made.engine.images.build(fileobj=io.BytesIO(dockerfile), tag=TAG, rm=True)
    own: dict[str, Any] = {
        "image": TAG,
        "probeClient": "python",
        "replicas": 1,
        "writable": [{"path": "/state", "kind": "volume"}],
        "roles": {"worker": {"command": WORKS}},
    }
    made.configure({"friday": friday(made, GOOD, **own)})
    try:
        first = made.fridayctl("up", made.stack)
        assert "tables of " in first.out
        assert [each.attrs["RestartCount"] for each in made.containers("friday")] == [2]
        yield made
    finally:
        made.remove()
        made.engine.images.remove(TAG, force=True)


def jobs(project: Project) -> list[tuple[str, int]]:
    """Return state and exit code of each container that ran once."""
    found = [each for each in project.everything() if "friday-litellm.job" in each.labels]
    return [(each.status, each.attrs["State"]["ExitCode"]) for each in found]


def serving(project: Project) -> list[str | None]:
    assert project.chat(7).status == 200
    return [each.id for each in project.containers("friday")]


def test_it_runs_once_as_friday_and_every_command_knows_it(project: Project) -> None:
    assert jobs(project) == [("exited", 0)]
    assert project.python_in("friday", "print(open('/state/migrated').read())").split() == ["ran"]
    project.configure({"rolloutPercentage": 60})
    assert "tables of " not in project.fridayctl("up", project.stack).out
    project.fridayctl("verify", project.stack)
    project.fridayctl("drift", project.stack)
    said = project.fridayctl("status", project.stack).out
    assert re.search(
        r"^migration +ended with exit code 0 at .* UTC; as the stack file asks for it$", said, re.MULTILINE
    )


def test_a_worker_is_stopped_before_the_next_one_starts(project: Project) -> None:
    """The percentage was changed, which the worker reads too."""
    (worker,) = project.containers("worker")
    assert worker.attrs["State"]["Health"]["Status"] == "healthy"
    assert "LITELLM_ROLLOUT_PERCENTAGE=60" in worker.attrs["Config"]["Env"]
    jobs = project.python_in("friday", "print(open('/state/jobs').read())").split()
    assert jobs == ["start", "stop", "start"]
    assert "worker-1 | " in project.fridayctl("logs", project.stack, "worker").out


def test_one_that_fails_or_hangs_ends_the_update_and_the_old_replicas_serve(project: Project) -> None:
    before = serving(project)
    with project.configured(friday=friday(project, FAILS)):
        failed = project.fridayctl("up", project.stack, code=1)
        assert "the migration failed with exit code 3" in failed.err
        assert "log   | the table users is locked" in failed.err
    with project.configured(friday=friday(project, HANGS, seconds=3)):
        hung = project.fridayctl("up", project.stack, code=1)
        assert "the migration did not end within 3 s" in hung.err
        assert "waiting for a lock" in hung.err
    assert serving(project) == before
    assert jobs(project) == [("exited", 0)]  # of the first, which has not to run again
    assert "tables of " not in project.fridayctl("up", project.stack).out


def test_down_leaves_nothing_of_it(project: Project) -> None:
    project.fridayctl("down", project.stack, "--yes")
    assert not project.everything()
    assert not project.volumes()
