"""How Prometheus is asked, and what its answers mean: seen and nothing counted is 0, not seen is unknown."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from ops.metrics.collect import Sources
from ops.metrics.prometheus import Prometheus
from ops.metrics.server import SilentError
from ops.report.ask import FRIDAY, Batch, Question, ask
from ops.report.collect import measured
from ops.report.grid import Grid
from tests.unit.given import settings
from tests.unit.ops.evidence import NOON

GRID = Grid(100.0, 10.0, 3)
CALLS = Batch({"calls": Question(lambda window: f"friday_calls_total[{window}]", ("path",), FRIDAY)}, GRID)
NAMES = frozenset({"friday_calls", "friday_llm_rollout_percentage"})


Trail = tuple[dict[str, str], list[list[Any]]]
"""Labels, and moments with their numbers as text."""


class RangePrometheus(httpx.BaseTransport):
    """Answers ranges by the name of each question, and nothing to anything else."""

    def __init__(self, answers: dict[str, list[Trail]], names: tuple[str, ...] = ()) -> None:
        self.answers, self.names, self.forms = answers, names, list[dict[str, list[str]]]()
        self.refuses: Callable[[str], bool] = lambda _: False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/metadata"):
            return _said({name: [] for name in self.names})
        if request.url.path.endswith("/alerts"):
            return _said({"alerts": []})
        form = parse_qs(request.content.decode())
        if self.refuses(form["query"][0]):
            return httpx.Response(503, text="too busy")
        if not request.url.path.endswith("/query_range"):
            return _said({"resultType": "vector", "result": []})
        self.forms.append(form)
        rows: list[dict[str, Any]] = [
            {"metric": {**labels, "asked": name}, "values": values}
            for name, found in self.answers.items()
            if f'"{name}"' in form["query"][0]
            for labels, values in found
        ]
        return _said({"resultType": "matrix", "result": rows})


def _said(data: object) -> httpx.Response:
    return httpx.Response(200, text=json.dumps({"status": "success", "data": data}))


SEEN: Trail = ({}, [[80.0, "2"], [90.0, "2"]])


def asked(transport: RangePrometheus, batch: Batch = CALLS) -> tuple[Any, str]:
    found, silent = ask(Prometheus("http://p", transport), {"one": batch})
    return found["one"], silent


def test_a_batch_is_one_request_over_its_steps() -> None:
    prometheus = RangePrometheus({"calls": [({"path": "direct"}, [[80.0, "3"]])], "seen_friday": [SEEN]})
    found, silent = asked(prometheus)
    (form,) = prometheus.forms
    assert (form["start"], form["end"], form["step"]) == (["80.000"], ["100.000"], ["10.000"])
    assert "friday_calls_total[10000ms]" in form["query"][0]
    assert found["calls"].steps == ({("direct",): 3.0}, {}, None)
    assert silent == ""


def test_a_part_that_is_not_seen_is_unknown_with_the_reason() -> None:
    found, _ = asked(RangePrometheus({}))
    assert found["calls"].steps == (None, None, None)
    assert "no figures of friday" in found["calls"].why


def test_a_step_that_begins_while_metrics_are_missing_is_unknown() -> None:
    """Where its counters stood at its begin is not known, and all of their life would be counted in it."""
    counted: Trail = ({"path": "direct"}, [[90.0, "1e6"], [100.0, "2"]])
    seen: Trail = ({}, [[90.0, "1"], [100.0, "2"]])
    prometheus = RangePrometheus({"calls": [counted], "seen_friday": [seen], "gap_friday": [({}, [[90.0, "8"]])]})
    found, _ = asked(prometheus)
    assert found["calls"].steps == (None, None, {("direct",): 2.0})


def test_a_metric_that_was_renamed_is_named_and_unknown() -> None:
    names = ("friday_llm_rollout_percentage", "friday_chats")
    found, _ = asked(RangePrometheus({"seen_friday": [SEEN]}, names))
    assert "the metric friday_calls_total is not among those of friday: was it renamed?" in found["calls"].why
    assert not found["calls"].known


@pytest.mark.parametrize("number", ["-1", "1e300"])
def test_numbers_that_cannot_be_are_unknown(number: str) -> None:
    found, _ = asked(RangePrometheus({"calls": [({"path": "direct"}, [[80.0, number]])], "seen_friday": [SEEN]}))
    assert "make no sense" in found["calls"].why


def test_what_is_no_number_and_what_was_not_asked_are_left_out() -> None:
    nan = ({"path": "direct"}, [[80.0, "NaN"], [120.0, "4"], [90.0, "+Inf"]])
    found, _ = asked(RangePrometheus({"calls": [nan], "seen_friday": [SEEN], "else": [SEEN]}))
    assert found["calls"].steps == ({}, {}, None)


def test_a_server_that_does_not_answer_one_request_says_so() -> None:
    prometheus = RangePrometheus({})
    prometheus.refuses = lambda query: "friday_calls_total" in query
    found, silent = asked(prometheus)
    assert "answers 503: too busy" in silent
    assert found["calls"].why == silent


@pytest.mark.parametrize(
    "body", ["", "<html>", "[]", '{"data": {"resultType": "matrix", "result": [{"metric": {}, "values": [1]}]}}']
)
def test_what_is_no_prometheus_is_told(body: str) -> None:
    server = Prometheus("http://p", httpx.MockTransport(lambda _: httpx.Response(200, text=body)))
    with pytest.raises(SilentError, match="no Prometheus"):
        server.over("up", 0.0, 10.0, 5.0)


def test_a_clock_that_is_apart_makes_all_figures_unknown() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return _said({"resultType": "vector", "result": [{"metric": {}, "value": [0, "5"]}]})

    found = measured(Sources("http://p", "http://o", (), httpx.MockTransport(answer)), settings(), [], 3600.0, NOON)
    assert "the clock of Prometheus' host" in found.silent
    assert not found.answers


def test_all_is_asked_in_five_requests_and_alerts_beside() -> None:
    prometheus = RangePrometheus({"seen_friday": [({}, [[NOON.timestamp(), "60"]])]})
    found = measured(Sources("http://p", "http://o", (), prometheus), settings(), [], 3600.0, NOON)
    assert len(prometheus.forms) == 5
    assert found.alerts == []
    assert found.silent == ""
    assert found.rows("steps", "calls").newest == {}
