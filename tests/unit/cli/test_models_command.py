"""`models` lists by default, and `suggest` keeps its diff apart from its words."""

import json
from pathlib import Path

import pytest

from cli.main import main
from ops.commands import models
from ops.commands.models import Live
from ops.stacks import stack_file
from tests.unit.given import stack_file as write
from tests.unit.ops.commands.test_models import FIRST, live
from tests.unit.ops.deployed import Played

Out = pytest.CaptureFixture[str]


def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, found: Live, *arguments: str) -> int:
    Played().everywhere(monkeypatch)
    monkeypatch.setattr(models, "ask", lambda _: found)
    monkeypatch.setattr(stack_file, "STACKS", tmp_path)
    write(tmp_path)
    return main(["models", *arguments])


@pytest.mark.parametrize("arguments", [("t",), ("list", "t")])
def test_it_lists_the_models(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Out
) -> None:
    assert run(monkeypatch, tmp_path, live(), *arguments) == 0
    said = capsys.readouterr().out
    assert "b/seeing:free" in said
    assert "google/gemma-4-26b-a4b-it:free" in said
    assert "next:" not in said


def test_a_model_that_is_gone_is_named_and_is_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Out
) -> None:
    assert run(monkeypatch, tmp_path, live(gone=FIRST), "t") == 1
    said = capsys.readouterr().out
    assert f"{FIRST} (gemma-4-31b) is not in OpenRouter's catalogue" in said
    assert "next: ./fridayctl models suggest t" in said
    assert run(monkeypatch, tmp_path, live(gone=FIRST), "t", "--json") == 1
    assert json.loads(capsys.readouterr().out)[0]["problem"]


def test_the_diff_is_all_of_the_output(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Out) -> None:
    assert run(monkeypatch, tmp_path, live(gone=FIRST), "suggest", "t") == 0
    told = capsys.readouterr()
    assert told.out.startswith("--- a/Pulumi.t.yaml\n+++ b/Pulumi.t.yaml\n@@ ")
    assert "b/seeing:free could take its place" in told.err
    assert run(monkeypatch, tmp_path, live(gone=FIRST), "suggest", "t", "--json") == 0
    assert json.loads(capsys.readouterr().out)["replacements"][0]["new"] == "b/seeing:free"


def test_what_has_no_replacement_is_exit_code_1(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Out) -> None:
    nothing = Live(live().today, {}, None)
    assert run(monkeypatch, tmp_path, nothing, "suggest", "t") == 1
    told = capsys.readouterr()
    assert (told.out, "nothing free could take its place" in told.err) == ("", True)
    assert run(monkeypatch, tmp_path, live(), "suggest", "t") == 0
    assert "t: no model has to be replaced" in capsys.readouterr().err
