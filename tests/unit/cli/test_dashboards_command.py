"""`dashboards export`: the files of a stack's dashboards, or all of them as JSON."""

import json
from pathlib import Path

import pytest

from cli.main import main
from components.dashboards.shown import PAGES
from ops.errors import EXIT_USAGE
from tests.unit.given import settings
from tests.unit.ops.deployed import Played

NAMES = [page.name for page in PAGES]


@pytest.fixture(autouse=True)
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.deployment.STACKS", tmp_path)
    Played(lambda: settings(gates={"errors": {"maximumPercent": 3}})).everywhere(monkeypatch)


def test_each_dashboard_becomes_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "a" / "b"
    for _ in range(2):  # a second time replaces them
        assert main(["dashboards", "export", "t", "-o", str(folder)]) == 0
    assert sorted(path.stem for path in folder.iterdir()) == sorted(NAMES)
    assert f"{folder / 'rollout.json'}: Friday t: Rollout" in capsys.readouterr().out
    document = json.loads((folder / "rollout.json").read_text())
    (errors,) = (panel for panel in document["panels"] if panel["title"] == "Errors of LiteLLM's users")
    assert errors["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["value"] == 0.03


def test_all_of_them_are_printed_as_json_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "none"
    assert main(["dashboards", "export", "t", "-o", str(folder), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert list(printed) == NAMES
    assert printed["parts"]["schemaVersion"] == 41
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_is_wrong_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["dashboards", "export", "t", "-o", str(tmp_path / "file" / "x")]) == EXIT_USAGE
    said = capsys.readouterr().err
    assert "cannot be written (not a directory)" in said
    assert "fix: make room there" in said
