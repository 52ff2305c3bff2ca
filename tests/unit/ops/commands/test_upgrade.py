"""`upgrade` in a small checkout: resolved in a copy, tested in place, and as it was when anything goes wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from ops.commands import upgrade as command
from ops.commands.pins import Pin
from ops.errors import EXIT_FAILED, EXIT_USAGE, OperationError
from toolchain import checkout, paths
from toolchain.errors import SetupError
from toolchain.lock import Move
from toolchain.pins import requirement

WANTED = "images/thing/requirements.in"
LOCK = "images/thing/requirements.txt"
# Locks what the requirements file pins, and a package that follows it.
UV = """#!/bin/sh
while [ $# -gt 2 ]; do [ "$1" = --output-file ] && out=$2; shift; done
grep -q == "$2" || { : >"$out"; exit 0; }
version=$(sed -n 's/^thing==//p' "$2")
[ "$version" != 1.9.0 ] || { echo "no solution found"; exit 1; }
printf 'thing==%s\\nhelper==0.%s\\n' "$version" "$version" >"$out"
"""
TESTS = """#!/bin/sh
echo "$@" "CI=$CI" >>"$LOG"
cat images/thing/requirements.in >>"$LOG"
exit "${CODE:-0}"
"""
TAGS = """
from pathlib import Path
def local_images():
    here = Path(__file__).parent
    return {"edge": "edge:1", "thing": (here / "thing/requirements.txt").read_text()}
"""


def pin(*versions: str, **fields: object) -> Pin:
    served = versions or ("2.0.0", "1.10.0", "1.9.0", "1.2.0")
    sites = (requirement(WANTED, "thing"),)
    given = {"users": "little", "served": lambda _: list(served), "sites": sites, "by_hand": ("look",), **fields}
    return Pin("thing", "a thing", "things", ("tests/one", "tests/two"), **given)  # type: ignore[arg-type]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root, tools = tmp_path / "project", tmp_path / "bin"
    tools.mkdir()
    for path, content in (
        (root / WANTED, "thing==1.2.0\n"),
        (root / LOCK, "thing==1.2.0\nhelper==0.1.2.0\n"),
        (root / "requirements/dev.in", ""),
        (root / "requirements/dev.txt", ""),
        (root / "images/__init__.py", ""),
        (root / "images/tags.py", TAGS),
        (root / "fridayctl", TESTS),
        (tools / "uv", UV),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        path.chmod(0o755)
    (tools / "python").symlink_to(sys.executable)
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.invalid"]
    for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "x"]):
        subprocess.run(["git", *words], cwd=root, check=True)
    monkeypatch.setattr("sys.executable", str(tools / "python"))
    monkeypatch.setattr(paths, "ROOT", root)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("FRIDAY_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    return root


def files(project: Path) -> tuple[str, str]:
    return (project / WANTED).read_text(encoding="utf-8"), (project / LOCK).read_text(encoding="utf-8")


def test_the_newest_of_the_line_is_taken_locked_and_tested(project: Path, tmp_path: Path) -> None:
    said: list[tuple[str, str]] = []
    done = command.upgrade(pin(), "", lambda *line: said.append(line), dry_run=False)
    assert (done.old, done.new) == ("1.2.0", "1.10.0")
    assert done.files == [WANTED, LOCK]
    assert done.packages == [Move("helper", "0.1.2.0", "0.1.10.0", (LOCK,)), Move("thing", "1.2.0", "1.10.0", (LOCK,))]
    assert done.images == ["thing"]
    assert done.by_hand[0] == "look"
    assert done.by_hand[-1] == "docs/UPGRADING.md#things"
    assert files(project) == ("thing==1.10.0\n", "thing==1.10.0\nhelper==0.1.10.0\n")
    assert (tmp_path / "log").read_text(encoding="utf-8") == "test tests/one tests/two CI=true\nthing==1.10.0\n"
    assert ("testing", "./fridayctl test tests/one tests/two") in said


def test_a_dry_run_says_the_same_and_changes_nothing(project: Path, tmp_path: Path) -> None:
    (project / WANTED).write_text("thing==1.2.0\n# not committed\n", encoding="utf-8")
    before = files(project)
    done = command.upgrade(pin(), "", lambda *_: None, dry_run=True)
    assert (done.new, done.files, done.images) == ("1.10.0", [WANTED, LOCK], ["thing"])
    assert files(project) == before
    assert not (tmp_path / "log").exists()


def test_failed_tests_put_everything_back_and_keep_a_patch(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODE", "1")
    before = files(project)
    said: list[str] = []
    with pytest.raises(OperationError, match=r"the tests of thing failed \(exit code 1\)") as failed:
        command.upgrade(pin(), "", lambda *line: said.append(" ".join(line)), dry_run=False)
    assert failed.value.exit_code == EXIT_FAILED
    assert files(project) == before
    assert checkout.uncommitted(["."]) == []
    patch = tmp_path / "state/upgrade-thing.patch"
    assert said[-1].endswith(f"git apply {patch}")
    assert "docs/UPGRADING.md#things" in failed.value.fix
    subprocess.run(["git", "apply", str(patch)], cwd=project, check=True)
    assert files(project)[0] == "thing==1.10.0\n"


def test_a_patch_that_cannot_be_kept_does_not_keep_the_files_from_coming_back(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODE", "1")
    (tmp_path / "state").touch()  # a file where the folder should be
    before = files(project)
    said: list[str] = []
    with pytest.raises(OperationError, match="the tests of thing failed"):
        command.upgrade(pin(), "", lambda *line: said.append(" ".join(line)), dry_run=False)
    assert "what was tried could not be kept" in said[-1]
    assert files(project) == before


def test_an_interrupt_lets_the_tests_end_and_puts_everything_back(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(project)
    ended = tmp_path / "ended"
    (project / "fridayctl").write_text(f"#!/bin/sh\ntrap 'touch {ended}; exit 130' INT\nkill -INT $PPID $$\nsleep 9\n")
    with pytest.raises(KeyboardInterrupt):
        command.upgrade(pin(), "", lambda *_: None, dry_run=False)
    assert ended.exists()
    assert files(project) == before


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("1.1.0", "thing 1.1.0 is older than 1.2.0"),
        ("1.10.1", "thing 1.10.1 is not served"),
        ("2", "thing 2 is not served"),
    ],
)
def test_a_version_that_cannot_be_taken_is_refused(project: Path, to: str, message: str) -> None:
    before = files(project)
    with pytest.raises(OperationError, match=message) as refused:
        command.upgrade(pin(), to, lambda *_: None, dry_run=False)
    assert refused.value.exit_code == EXIT_USAGE
    assert files(project) == before


def test_another_line_is_taken_when_it_is_asked_for(project: Path) -> None:
    said: list[str] = []
    done = command.upgrade(pin(other_line="prove it"), "2.0.0", lambda *line: said.append(" ".join(line)), dry_run=True)
    assert done.new == "2.0.0"
    assert "line 2.0.0 is of another line than 1.2.0: prove it" in said


def test_a_version_that_no_list_has_may_be_served_all_the_same(project: Path) -> None:
    assert command.upgrade(pin(all_listed=False), "1.10.1", lambda *_: None, dry_run=True).new == "1.10.1"


def test_packages_that_do_not_agree_change_nothing(project: Path) -> None:
    before = files(project)
    with pytest.raises(SetupError, match="no solution found") as refused:
        command.upgrade(pin(), "1.9.0", lambda *_: None, dry_run=False)
    assert refused.value.exit_code == EXIT_USAGE
    assert files(project) == before


@pytest.mark.parametrize("name", [WANTED, LOCK, "requirements/dev.in"])
def test_changes_that_are_not_committed_are_refused(project: Path, name: str) -> None:
    (project / name).write_text("# mine\n", encoding="utf-8")
    with pytest.raises(OperationError, match=f"not committed: {name}") as refused:
        command.upgrade(pin(), "", lambda *_: None, dry_run=False)
    assert refused.value.exit_code == EXIT_USAGE
    assert (project / name).read_text(encoding="utf-8") == "# mine\n"


def test_nothing_newer_is_no_change(project: Path, tmp_path: Path) -> None:
    done = command.upgrade(pin("2.0.0", "1.2.0"), "", lambda *_: None, dry_run=False)
    assert (done.old, done.new, done.files) == ("1.2.0", "1.2.0", [])
    followed: list[str] = []

    def follow(_: Path, version: str, __: object) -> None:
        followed.append(version)

    for alone, expected in ((False, []), (True, ["1.2.0"])):
        which = pin("1.2.0", follow=follow, follows_alone=alone)
        assert command.upgrade(which, "", lambda *_: None, dry_run=False).files == []
        assert followed == expected
    assert not (tmp_path / "log").exists()


def test_many_packages_take_no_version(project: Path) -> None:
    with pytest.raises(OperationError, match="no one version"):
        command.upgrade(pin(sites=()), "1.0", lambda *_: None, dry_run=True)
    assert command.upgrade(pin(sites=()), "", lambda *_: None, dry_run=True).files == []


def test_the_list_has_each_pin_and_says_who_did_not_answer(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(_: object) -> list[str]:
        raise SetupError("nobody answers", "PyPI", "try again")

    given = (pin(), pin("1.2.0"), pin(sites=()), pin(served=silent))
    monkeypatch.setattr(command, "PINS", dict(enumerate(given)))
    one, two, three, four = command.statuses(lambda *_: None)
    assert (one.current, one.newest, one.beyond) == ("1.2.0", "1.10.0", "2.0.0")
    assert (two.newest, two.beyond) == ("1.2.0", "")
    assert (three.current, three.newest) == ("2 packages", "")
    assert (four.newest, four.problem) == ("", "PyPI: nobody answers\n  fix: try again")
