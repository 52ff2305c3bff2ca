"""Hooks: what they are given, and every way in which one can go wrong."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from ops.errors import EXIT_FAILED, EXIT_USAGE, OperationError
from ops.notify import hooks
from ops.notify.hooks import Hooks
from tests.unit.ops.notify.given import notifier, notify, script

FACTS = {"what": "t goes 10 -> 50 %", "from_percent": 10, "to_percent": None}


class Seen:
    """The lines that were reported."""

    def __init__(self, folder: Path) -> None:
        self.lines: list[tuple[str, str]] = []
        self.hooks = Hooks(notifier(notify(), folder), lambda label, text: self.lines.append((label, text)))

    def of(self, label: str) -> list[str]:
        return [text for name, text in self.lines if name == label]


@pytest.fixture
def seen(tmp_path: Path) -> Seen:
    return Seen(tmp_path)


def refusal(seen: Seen) -> OperationError:
    with pytest.raises(OperationError) as caught:
        seen.hooks.before("pre-up", **FACTS)
    assert "nothing of the stack was changed" in caught.value.fix
    return caught.value


def test_without_a_hook_nothing_is_done(seen: Seen) -> None:
    seen.hooks.before("pre-up", **FACTS)
    seen.hooks.after("post-up", result="done", **FACTS)
    assert seen.lines == []


def test_a_hook_gets_the_facts_and_its_lines_are_shown(seen: Seen, tmp_path: Path) -> None:
    program = script(tmp_path / "hooks" / "pre-up", "pwd", "env | grep ^FRIDAY_ | sort > variables", "cat > facts")
    seen.hooks.before("pre-up", **FACTS)
    assert seen.of("pre-up") == [str(tmp_path)]
    found = dict(each.split("=", 1) for each in (tmp_path / "variables").read_text().splitlines())
    given = json.loads((tmp_path / "facts").read_text())
    assert (given["event"], given["result"], given["from"], given["to"]) == ("pre-up", "begins", 10, None)
    assert {name: found[f"FRIDAY_{name.upper()}"] for name in given} == {
        name: "" if value is None else str(value) for name, value in given.items()
    }
    assert program.exists()


def test_a_failing_hook_before_stops_with_its_last_words(seen: Seen, tmp_path: Path) -> None:
    script(tmp_path / "hooks" / "pre-up", "seq 1 40", "echo the tests are red >&2", "exit 7")
    error = refusal(seen)
    assert (error.exit_code, error.message) == (EXIT_FAILED, "t: hooks/pre-up failed with exit code 7")
    assert error.details.splitlines()[-1] == "  pre-up | the tests are red"
    assert len(error.details.splitlines()) == 15


def test_a_failing_hook_after_is_reported_and_changes_nothing(seen: Seen, tmp_path: Path) -> None:
    script(tmp_path / "hooks" / "post-up", "exit 1")
    seen.hooks.after("post-up", result="done", **FACTS)
    assert seen.of("hook")[-1] == "hooks/post-up failed with exit code 1; what was done stays as it is"


def test_one_that_is_killed_says_by_what(seen: Seen, tmp_path: Path) -> None:
    script(tmp_path / "hooks" / "pre-up", "kill -9 $$")
    error = refusal(seen)
    assert "was ended by signal 9" in error.message
    assert error.details == "  pre-up | (nothing printed)"


def test_one_without_run_bit_says_how_it_gets_one(seen: Seen, tmp_path: Path) -> None:
    program = script(tmp_path / "hooks" / "pre-up", executable=False)
    script(tmp_path / "hooks" / "post-up", executable=False)
    error = refusal(seen)
    assert error.exit_code == EXIT_USAGE
    assert error.message == f"t: hooks/pre-up cannot be run: it may not be run: chmod +x {program}"
    seen.hooks.after("post-up", result="done", **FACTS)
    assert "hooks/post-up could not be run: it may not be run" in seen.of("hook")[-1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("#!/no/such/python3\n", "the interpreter that its first line names is not there (#!/no/such/python3)"),
        ("echo hello\n", "its first line should name one, such as #!/bin/sh (echo hello)"),
        ("", "its first line should name one, such as #!/bin/sh ()"),
    ],
)
def test_one_without_interpreter_says_so(content: str, said: str, seen: Seen, tmp_path: Path) -> None:
    program = tmp_path / "hooks" / "pre-up"
    program.parent.mkdir()
    program.write_text(content)
    program.chmod(0o755)
    error = refusal(seen)
    assert error.exit_code == EXIT_USAGE
    assert said in error.message


def test_a_folder_and_a_link_to_nothing_are_no_hooks_that_pass(seen: Seen, tmp_path: Path) -> None:
    place = tmp_path / "hooks" / "pre-up"
    place.mkdir(parents=True)
    assert refusal(seen).exit_code == EXIT_USAGE
    place.rmdir()
    place.symlink_to(tmp_path / "gone")
    assert os.strerror(2) in refusal(seen).message


def test_one_that_hangs_is_killed_with_its_children(
    seen: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "BEFORE_SECONDS", 0.5)
    script(
        tmp_path / "hooks" / "pre-up", "trap '' TERM", "sleep 600 &", "echo $! > child", "echo waiting", "wait", "wait"
    )
    error = refusal(seen)
    assert "did not end within 0 s and was killed with its children" in error.message
    assert error.details == "  pre-up | waiting"
    assert is_gone(int((tmp_path / "child").read_text()))


def is_gone(pid: int) -> bool:
    """Return whether a process is no more, or only waits for somebody to take note; it may need a moment to die."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False


def test_megabytes_are_counted_and_not_shown(seen: Seen, tmp_path: Path) -> None:
    script(tmp_path / "hooks" / "pre-up", "seq 1 300000", "head -c 3000000 /dev/zero | tr '\\0' x", "echo", "echo last")
    seen.hooks.before("pre-up", **FACTS)
    shown = seen.of("pre-up")
    assert shown[:2] == ["1", "2"]
    assert len(shown) == 101
    assert shown[-1] == "(299902 lines more)"


def test_its_letters_do_nothing_to_the_terminal(seen: Seen, tmp_path: Path) -> None:
    script(tmp_path / "hooks" / "pre-up", r"printf '\033[31mred\r\n\377'")
    seen.hooks.before("pre-up", **FACTS)
    assert seen.of("pre-up") == [" [31mred", "�"]


def test_what_it_leaves_behind_is_not_waited_for(seen: Seen, tmp_path: Path) -> None:
    script(tmp_path / "hooks" / "pre-up", "sleep 60 & echo $! > child", "echo done")
    seen.hooks.before("pre-up", **FACTS)
    assert seen.of("pre-up") == ["done"]
    child = int((tmp_path / "child").read_text())
    os.kill(child, 15)  # it still ran


def test_a_name_that_is_nearly_one_is_reported(seen: Seen, tmp_path: Path) -> None:
    script(tmp_path / "hooks" / "pre-up.sh")
    script(tmp_path / "hooks" / "lib.sh")
    script(tmp_path / "hooks" / "post-up")
    seen.hooks.before("pre-up", **FACTS)
    known = "pre-up, post-up, pre-promote, post-promote, post-rollback"
    assert seen.lines == [("warning", f"hooks/pre-up.sh is no hook and is not run (known: {known})")]


def test_one_is_killed_when_the_operator_ends_the_command(tmp_path: Path) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def once_it_runs(label: str, text: str) -> None:
        if text == "running":
            os.kill(os.getpid(), signal.SIGUSR1)

    script(tmp_path / "hooks" / "pre-up", "echo $$ > child", "echo running", "sleep 600")
    before = signal.signal(signal.SIGUSR1, interrupt)  # workers of xdist take no SIGINT
    try:
        with pytest.raises(KeyboardInterrupt):
            Hooks(notifier(notify(), tmp_path), once_it_runs).before("pre-up", **FACTS)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert is_gone(int((tmp_path / "child").read_text()))
