"""`./fridayctl bench`: what it prints and how it ends. The measuring itself is replaced."""

import json
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from benchmarks import suite
from benchmarks.figures import Figure
from benchmarks.test_stack import Comparison
from cli.main import main
from testing.project import ROOT


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def measured(monkeypatch: pytest.MonkeyPatch, seconds: float) -> list[tuple[str | Comparison, ...]]:
    asked: list[tuple[str | Comparison, ...]] = []

    def run(names: Sequence[str], report: Callable[[str, str], None], comparison: Comparison) -> suite.Report:
        asked.append((*names, comparison))
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
    assert asked == [("memory", "edge", Comparison(5, ()))]


def test_another_checkout_and_fewer_rounds_may_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = measured(monkeypatch, 9.0)
    assert main(["bench", "beside_stock", "--beside", str(ROOT), "--rounds", "1"]) == 0
    assert asked == [("beside_stock", Comparison(1, (ROOT,)))]


def test_a_folder_that_is_no_checkout_is_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked = measured(monkeypatch, 9.0)
    assert main(["bench", "beside_stock", "--beside", str(tmp_path)]) == 2
    assert "in which ./fridayctl setup has run" in capsys.readouterr().err
    assert asked == []


def test_two_checkouts_of_one_name_could_not_be_told_apart(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = measured(monkeypatch, 9.0)
    assert main(["bench", "beside_stock", "--beside", str(ROOT), "--beside", str(ROOT)]) == 2
    assert "folders of different names" in capsys.readouterr().err
    assert asked == []


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
