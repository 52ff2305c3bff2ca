"""`fridayctl prove`: what is tried, where the page goes, which exit code; what is refused before anything is set up."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from images import ImageError
from ops.commands import setup
from proof import run
from proof.model import Proof
from proof.run import Request
from tests.unit.proof.proofs import Ended, proof


class Played:
    """Stands in for the run: remembers what was wanted."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.ended: Ended | Exception = Ended.PASSED

    def prove(self, request: Request, report: Any) -> Proof:
        self.asked.append(request)
        report("locks", "a lock: 5 tried")
        if isinstance(self.ended, Exception):
            raise self.ended
        return proof(self.ended)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Played:
    monkeypatch.chdir(tmp_path)
    made = Played()
    monkeypatch.setattr(run, "prove", made.prove)
    monkeypatch.setattr(setup, "ensure", lambda: None)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    return made


@pytest.mark.parametrize(
    ("ended", "code", "verdict"),
    [
        (Ended.PASSED, 0, "passed: 3 checks with 1,117"),
        (Ended.FAILED, 1, "failed: 1 of the 4 checks"),
        (Ended.LEFT_OUT, 1, "incomplete: nothing"),
        (Ended.BROKEN, 1, "failed: the tests themselves"),
        (Ended.INTERRUPTED, 130, "interrupted: 2 of 4 checks"),
    ],
)
def test_the_last_lines_say_it_and_the_page_is_written(
    ended: Ended, code: int, verdict: str, played: Played, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    played.ended = ended
    assert main(["prove", "--quick"]) == code
    said = capsys.readouterr().out
    assert f"\nverdict   {verdict}" in said
    assert said.splitlines()[-1].endswith("proof-2026-11-30.html")
    assert proof(ended).headline in (tmp_path / "proof-2026-11-30.html").read_text(encoding="utf-8")


def test_what_is_wanted_is_tried_in_order_and_can_be_run_again(played: Played) -> None:
    assert main(["prove"]) == 0
    assert main(["prove", "--only", "rollback", "--only", "locks", "--quick"]) == 0
    assert played.asked == [
        Request(("locks", "faults", "change", "rollback"), quick=False, command="./fridayctl prove"),
        Request(("locks", "rollback"), quick=True, command="./fridayctl prove --quick --only locks --only rollback"),
    ]


def test_data_is_a_document_that_can_be_read_again(
    played: Played, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prove", "--json"]) == 0
    said = capsys.readouterr()
    assert Proof.model_validate(json.loads(said.out)) == proof()
    assert "a lock: 5 tried" in said.err
    assert main(["prove", "--json", "-o", "proof.json"]) == 0
    assert Proof.model_validate_json((tmp_path / "proof.json").read_text(encoding="utf-8")) == proof()
    assert [path.name for path in tmp_path.iterdir()] == ["proof.json"]
    capsys.readouterr()
    assert main(["prove", "-o", "-"]) == 0
    assert capsys.readouterr().out.startswith("<!doctype html>")


@pytest.mark.parametrize(
    "arguments", [["--only", "cake"], ["-o", "nowhere/page.html"], ["-o", "."], ["extra"], ["-o", "x" * 300]]
)
def test_wrong_input_is_refused_before_anything_is_tried(played: Played, arguments: list[str]) -> None:
    assert main(["prove", *arguments]) == 2
    assert played.asked == []


def test_an_image_that_cannot_be_read_is_a_sentence(played: Played, capsys: pytest.CaptureFixture[str]) -> None:
    played.ended = ImageError("docker run failed: no space left")
    assert main(["prove"]) == 1
    assert "prove: docker run failed: no space left\n  fix: ./fridayctl setup" in capsys.readouterr().err
