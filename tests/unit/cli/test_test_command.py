"""`fridayctl test` and `lock`: which tools run, what is said without an engine, and with which exit code."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cli import main as cli
from cli import test as command
from ops.commands import setup
from testing import tests_engine
from toolchain.errors import SetupError
from toolchain.paths import ROOT

SLOW_TOO = "not engine or (beside and not slow)"
BESIDE = f"({SLOW_TOO}) and not slow"


class Tools:
    """Stands in for the processes: remembers them; those that `failing` names end with 1."""

    def __init__(self, failing: str = "") -> None:
        self.ran: list[list[str]] = []
        self.before: list[list[str]] = []
        self.engines: list[str | None] = []
        self.set_up: list[bool] = []
        self._failing = failing

    def run(self, arguments: list[str], env: dict[str, str], **_: Any) -> subprocess.CompletedProcess[str]:
        prefix = next((at for at, each in enumerate(arguments) if each == sys.executable), 0)
        self.before.append(arguments[:prefix])
        self.engines.append(env.get("DOCKER_HOST"))
        self.ran.append(arguments[prefix + 2 :])
        failed = self._failing and self._failing in " ".join(arguments)
        return subprocess.CompletedProcess(arguments, 1 if failed else 0, "what the tool says\n")

    @property
    def selected(self) -> list[str]:
        """Which tests were run, group by group, as pytest's -m takes it."""
        return [arguments[2] for arguments in self.ran if arguments[:2] == ["pytest", "-m"]]


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Tools:
    made = Tools(getattr(request, "param", ""))
    monkeypatch.setattr("cli.test.subprocess.run", made.run)
    monkeypatch.setattr(command, "_engine_missing", lambda: "")
    monkeypatch.setattr(setup, "ensure", lambda: made.set_up.append(True))
    for name in ("CI", "DOCKER_HOST"):
        monkeypatch.delenv(name, raising=False)
    return made


def test_all_is_run_but_the_slow_tests_and_shown_with_its_seconds(
    tools: Tools, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["test"]) == 0
    assert {"ruff", "mypy"} <= {arguments[0] for arguments in tools.ran[: len(command.CHECKERS)]}
    assert tools.selected == [BESIDE, "engine and not beside and not slow and not proof"]
    assert next(each[-2:] for each in tools.ran if each[0] == "pytest") == ["--cov", "--cov-report="]
    asked = [arguments for arguments in tools.ran if arguments[:2] == ["coverage", "report"]]
    assert len(asked) == len(command.COVERAGE)
    said = capsys.readouterr().out
    for name in (*command.CHECKERS, command.SIDE_BY_SIDE, command.ONE_BY_ONE, "coverage of components/*"):
        assert re.search(rf"^{re.escape(name)} +passed +\d+ *$", said, re.MULTILINE)
    assert "slow tests (--all runs them too)" in said
    assert "passed" in said.splitlines()[-1]


def test_the_slow_tests_are_run_when_all_is_asked_for(tools: Tools, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["test", "--all"]) == 0
    assert tools.selected == [SLOW_TOO, "engine and (slow or not beside) and not proof"]
    assert "left out" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "tools", ["ruff format", "mypy", "lint-imports", BESIDE, "engine and not beside", "cli/*,ops/*"], indirect=True
)
def test_one_failure_fails_the_run(tools: Tools, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["test"]) == 1
    said = capsys.readouterr().out
    assert re.search(r" failed +\d+ *$", said, re.MULTILINE)
    assert said.splitlines()[-1].startswith("failed ")


def test_chosen_tests_run_alone(tools: Tools) -> None:
    assert cli.main(["test", "tests/unit", "-k", "settings"]) == 0
    assert tools.ran == [["pytest", "tests/unit", "-k", "settings"]]
    assert tools.set_up == [True]


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_without_an_engine_it_says_so_and_only_ci_minds(
    ci: str, code: int, tools: Tools, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(command, "_engine_missing", lambda: "Docker: not here")
    assert cli.main(["test"]) == code
    assert "Docker: not here" in capsys.readouterr().out
    assert bool(tools.ran) is (code == 0)
    assert tools.selected == ([] if code else ["(not engine) and not slow"])
    assert tools.set_up == []


def test_checkers_run_while_what_tests_need_is_made(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    checking = threading.Event()
    during_set_up: list[list[str]] = []

    def run(arguments: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        checking.set()
        return tools.run(arguments, **options)

    def ensure() -> None:
        assert checking.wait(20)
        during_set_up.extend(ran for ran in tools.ran if ran[0] == "pytest")

    monkeypatch.setattr("cli.test.subprocess.run", run)
    monkeypatch.setattr(setup, "ensure", ensure)
    assert cli.main(["test"]) == 0
    assert during_set_up == []
    assert len(tools.selected) == 2


def test_a_set_up_that_fails_ends_the_run_before_the_tests(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise SetupError("no network", "PyPI", "set HTTPS_PROXY")

    monkeypatch.setattr(setup, "ensure", refuse)
    assert cli.main(["test"]) == 2
    assert len(tools.ran) == len(command.CHECKERS)


@pytest.fixture
def own_engines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let engines of the tests' own be made in words only; what is made and removed is noted here."""
    noted: list[str] = []

    @contextmanager
    def make(name: str) -> Iterator[tests_engine.Place]:
        noted.append(f"made {name}")
        try:
            yield tests_engine.Place(["nsenter", "--net=/its"], {"DOCKER_HOST": "unix:///its.sock"})
        finally:
            noted.append(f"removed {name}")

    monkeypatch.setattr(tests_engine, "tests_engine", make)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/nsenter")
    return noted


def test_tests_run_in_the_network_and_on_the_engine_that_is_asked_for(tools: Tools, own_engines: list[str]) -> None:
    assert cli.main(["test", "--engine", "29", "tests/integration"]) == 0
    assert tools.ran == [["pytest", "tests/integration"]]
    assert (tools.before, tools.engines) == ([["nsenter", "--net=/its"]], ["unix:///its.sock"])
    assert own_engines == ["made 29", "removed 29"]


def test_checkers_need_no_engine_of_their_own(tools: Tools, own_engines: list[str]) -> None:
    assert cli.main(["test", "--engine", "28"]) == 0
    placed = {ran[0] for ran, engine in zip(tools.ran, tools.engines, strict=True) if engine}
    assert placed == {"pytest"}
    assert own_engines == ["made 28", "removed 28"]


def test_the_engine_is_removed_after_ctrl_c(
    tools: Tools, own_engines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.test.subprocess.run", interrupted)
    assert cli.main(["test", "--engine", "26", "tests"]) == 130
    assert own_engines == ["made 26", "removed 26"]
    assert tools.ran == []


@pytest.mark.usefixtures("own_engines")
@pytest.mark.parametrize(
    ("user", "nsenter", "engine", "said"),
    [
        (1000, "/usr/bin/nsenter", "unix:///var/run/docker.sock", "only root may"),
        (0, None, "", "nsenter is not installed"),
        (0, "/usr/bin/nsenter", "ssh://root@10.0.0.1", "DOCKER_HOST is an engine of another machine"),
    ],
)
def test_where_tests_cannot_have_an_engine_it_is_said_before_the_set_up(
    user: int,
    nsenter: str | None,
    engine: str,
    said: str,
    tools: Tools,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    monkeypatch.setattr("shutil.which", lambda _: nsenter)
    if engine:
        monkeypatch.setenv("DOCKER_HOST", engine)
    monkeypatch.setattr(command, "_engine_missing", lambda: pytest.fail("set up first"))
    assert cli.main(["test", "--engine", "29", "tests"]) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("fix: ") == 1
    assert tools.ran == []


def test_an_engine_cannot_be_made_without_one(
    tools: Tools, own_engines: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "_engine_missing", lambda: "Docker: not here")
    assert cli.main(["test", "--engine", "29"]) == 1
    assert "--engine needs a Docker engine: Docker: not here" in capsys.readouterr().out
    assert (tools.ran, own_engines) == ([], [])


@pytest.mark.parametrize("arguments", [["--engine", "29", "--no-engine"], ["--engine", "19"]])
def test_an_engine_that_cannot_be_had_is_refused(arguments: list[str], tools: Tools) -> None:
    assert cli.main(["test", *arguments]) == 2
    assert tools.ran == []


def test_the_set_up_is_asked_for_the_engine_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise SetupError("is missing", "Docker", "install it")

    monkeypatch.setattr("toolchain.runner.run_steps", refuse)
    assert "Docker: is missing" in command._engine_missing()
    monkeypatch.setattr("toolchain.runner.run_steps", lambda _: [])
    assert command._engine_missing() == ""


@pytest.mark.parametrize("changed", [[], ["requirements/dev.txt"]])
def test_lock_names_what_it_changed(
    changed: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("toolchain.lock.rewrite", lambda upgrade, tell, root: [ROOT / name for name in changed])
    assert cli.main(["lock"]) == 0
    expected = "changed: requirements/dev.txt" if changed else "every lock is as"
    assert expected in capsys.readouterr().out
