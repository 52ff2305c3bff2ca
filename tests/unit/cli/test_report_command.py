"""`fridayctl report`: a page or data, in a file or on the screen, and what is refused before anybody is asked."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.main import main
from ops.commands import report as operation
from ops.deployment import Deployment
from ops.errors import EXIT_USAGE, OperationError
from ops.metrics.collect import Sources
from ops.report.model import Report
from tests.unit.cli.played_report import World

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    monkeypatch.chdir(tmp_path)
    return World(monkeypatch)


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_data_is_a_document_that_can_be_read_again(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "t", "--json", "--since", "24h"]) == 0
    found = printed(capsys)
    assert Report.model_validate(found).stack == "t"
    assert found["window"]["began"] < found["window"]["ended"]
    assert found["rollout"]["percentage"] == 10


def test_a_page_is_a_file_of_the_day(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "t"]) == 0
    (file,) = tmp_path.glob("report-t-*.html")
    assert file.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert file.name in capsys.readouterr().out


def test_where_it_goes_can_be_chosen(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "t", "-o", "day.json", "--json"]) == 0
    assert json.loads((tmp_path / "day.json").read_text(encoding="utf-8"))["stack"] == "t"
    capsys.readouterr()
    assert main(["report", "t", "-o", "-"]) == 0
    assert capsys.readouterr().out.startswith("<!doctype html>")


@pytest.mark.parametrize("since", ["", "7", "7x", "-1d", "0d", "1m", "401d", "1e3d", "7d7d", "\u0667d", "99999999w"])
def test_nonsense_for_since_is_refused(since: str, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "t", "--since", since]) == EXIT_USAGE
    assert "--since" in capsys.readouterr().err
    assert not world.asked


@pytest.mark.parametrize("file", ["nowhere/report.html", "."])
def test_a_place_that_is_none_is_refused_before_anybody_is_asked(
    file: str, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "t", "-o", file]) == EXIT_USAGE
    assert "--output" in capsys.readouterr().err
    assert not world.asked


def test_a_file_that_cannot_be_written_is_told(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "t", "-o", "x" * 300]) == EXIT_USAGE
    assert "cannot be written" in capsys.readouterr().err


def test_without_prometheus_the_report_is_made_of_the_history(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    world.source = Sources("http://p", "http://o", (), httpx.MockTransport(refuse))
    assert main(["report", "t", "--json"]) == 0
    found = printed(capsys)
    assert found["verdict"]["level"] == "needs a look"
    assert [each["name"] for each in found["sources"] if not each["answered"]] == ["Prometheus"]
    assert found["marks"]


def test_hosts_that_do_not_answer_are_told(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.lost = OperationError("ssh to 10.0.0.1 is refused", "look at it")
    assert main(["report", "t", "--json"]) == 0
    found = printed(capsys)
    assert [each["name"] for each in found["sources"] if not each["answered"]] == ["Prometheus", "hosts"]
    assert "ssh to 10.0.0.1 is refused" in str(found["sources"])


def test_a_stack_that_is_not_deployed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.outputs, world.entries = {}, []
    assert main(["report", "t", "--json"]) == 0
    found = printed(capsys)
    assert found["verdict"]["command"] == "./fridayctl up t"
    assert found["rollout"] is None


def test_who_looks_all_the_time_is_given_a_young_report_again(world: World) -> None:
    deployment = Deployment.open("t", lambda *_: None)
    with operation.Reporter(deployment, operation.Request(HOUR)) as reporter:
        first = reporter.report()
        assert reporter.report() is first
        assert world.asked == 1


def test_an_old_report_is_not_shown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operation, "_YOUNG_SECONDS", 0.0)
    monkeypatch.setattr(operation, "_OLD_SECONDS", 0.0)
    monkeypatch.setattr(operation, "_PAUSE", 0.0)
    deployment = Deployment.open("t", lambda *_: None)
    with operation.Reporter(deployment, operation.Request(HOUR)) as reporter:
        first = reporter.report()
        assert reporter.report() is not first


def test_a_report_that_fails_is_tried_again(world: World) -> None:
    deployment = Deployment.open("t", lambda *_: None)
    with operation.Reporter(deployment, operation.Request(HOUR)) as reporter:
        world.broken = OperationError("the history cannot be read", "look at it")
        with pytest.raises(OperationError, match="history"):
            reporter.report()
        world.broken = None
        assert reporter.report().stack == "t"
