"""Steps run when they are needed, say why, and are shown with their time."""

import io
import threading
from dataclasses import dataclass, field

import pytest

from toolchain import files, paths
from toolchain.errors import SetupError
from toolchain.runner import Report, Step, run_steps


@dataclass
class Fake:
    """A step that is right once it ran."""

    name: str = "thing"
    why: str = "others need it"
    done: bool = False
    error: SetupError | None = None
    runs: list[str] = field(default_factory=list)
    needs: tuple[str, ...] = ()

    @property
    def step(self) -> Step:
        return Step(self.name, self.why, self.is_done, self.run, self.needs)

    def is_done(self) -> bool:
        return self.done

    def run(self, report: Report) -> None:
        if self.error:
            raise self.error
        report("working [bold]hard[/bold]")
        self.runs.append(self.name)
        self.done = True


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_skips_what_is_right_and_makes_what_is_missing() -> None:
    there, missing = Fake("there", done=True), Fake("missing")
    out = io.StringIO()
    outcomes = run_steps([there.step, missing.step], out)
    assert [(outcome.name, outcome.made) for outcome in outcomes] == [("there", False), ("missing", True)]
    assert there.runs == []
    assert missing.runs == ["missing"]
    lines = out.getvalue().splitlines()
    assert lines[0].split() == ["ok", "there", "already", "there", "(0.0", "s)"]
    assert lines[1].split() == ["..", "missing", "others", "need", "it"]
    assert lines[2].split(None, 1) == ["missing", "working [bold]hard[/bold]"]
    assert "ready" in lines[3]


def test_an_error_ends_the_run_before_later_steps() -> None:
    later = Fake("later", needs=("thing",))
    with pytest.raises(SetupError, match="no network") as caught:
        run_steps([Fake(error=SetupError("no network", "PyPI", "set HTTPS_PROXY")).step, later.step], io.StringIO())
    assert later.runs == []
    assert str(caught.value) == "PyPI: no network\n  fix: set HTTPS_PROXY"
    assert caught.value.exit_code == 2


def test_a_step_that_an_earlier_one_makes_right_is_not_run() -> None:
    engine, images = Fake("engine"), Fake("images", needs=("engine",))
    engine.run = lambda _: setattr(images, "done", True)  # type: ignore[method-assign, assignment]
    outcomes = run_steps([engine.step, images.step], io.StringIO())
    assert images.runs == []
    assert [outcome.made for outcome in outcomes] == [True, False]


def test_a_step_says_what_it_waits_for() -> None:
    out = io.StringIO()
    run_steps([Fake("engine").step, Fake("images", needs=("engine", "made long ago")).step], out)
    assert out.getvalue().splitlines()[0].split() == ["images", "waits", "for", "engine"]


def test_a_terminal_gets_the_same_result_lines() -> None:
    out = Terminal()
    run_steps([Fake().step], out)
    assert "others need it" in out.getvalue()
    assert "ready" in out.getvalue()


def test_waits_for_another_set_up_and_then_finds_the_work_done() -> None:
    step, out = Fake(), io.StringIO()
    waiting = threading.Event()

    class Watched(io.StringIO):
        def write(self, text: str) -> int:
            if "waiting for another set-up" in text:
                waiting.set()
            return out.write(text)

    outcomes = []
    with files.exclusive(paths.user_cache() / "setup.lock", lambda: None):
        runner = threading.Thread(target=lambda: outcomes.extend(run_steps([step.step], Watched())))
        runner.start()
        assert waiting.wait(10)
        step.done = True
    runner.join(10)
    assert step.runs == []
    assert [outcome.made for outcome in outcomes] == [False]
