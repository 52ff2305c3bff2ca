"""`./fridayctl bench`: what it prints and how it ends. The measuring itself is replaced."""

import json
import signal
from collections.abc import Callable, Iterator, Sequence

import pytest

from benchmarks import suite
from benchmarks.figures import Figure
from cli.main import main


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def measured(monkeypatch: pytest.MonkeyPatch, seconds: float) -> list[Sequence[str]]:
    asked: list[Sequence[str]] = []

    def run(names: Sequence[str], report: Callable[[str, str], None]) -> suite.Report:
        asked.append(names)
        report("measure", "something")
        return suite.Report("2026-01-01 00:00 UTC", 2, 0.5, [Figure("down", 15, "s", (seconds,))])

    monkeypatch.setattr(suite, "run", run)
    return asked


@pytest.mark.parametrize(("seconds", "code", "verdict"), [(9.0, 0, "yes"), (16.0, 1, "NO")])
def test_a_missed_target_is_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], seconds: float, code: int, verdict: str
) -> None:
    asked = measured(monkeypatch, seconds)
    assert main(["bench", "memory", "edge"]) == code
    assert capsys.readouterr().out.rstrip().endswith(f"| {verdict}")
    assert asked == [("memory", "edge")]


def test_json_is_alone_on_stdout(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    measured(monkeypatch, 9.0)
    assert main(["bench", "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["figures"][0]["median"] == 9.0
    assert "measure: something" in printed.err


def test_a_failed_measurement_shows_the_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*_: object) -> suite.Report:
        raise AssertionError("up ended with 1")

    monkeypatch.setattr(suite, "run", run)
    assert main(["bench"]) == 1
    assert "up ended with 1" in capsys.readouterr().err


def test_an_unknown_name_is_exit_code_2(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked = measured(monkeypatch, 9.0)
    assert main(["bench", "speed"]) == 2
    assert "'speed' is not one of 'setup'" in capsys.readouterr().err
    assert asked == []
