"""What Prometheus may answer and cannot be: it is worded, and never taken as 0."""

import math
import re
from types import SimpleNamespace

import pytest

from ops.metrics import prometheus
from ops.rollout.gates.evidence import Calls, Distribution
from ops.rollout.gates.gate import Outcome
from ops.rollout.gates.registry import judge
from tests.unit.ops.evidence import gate_input, sound, verdict
from tests.unit.ops.fake_prometheus import FakePrometheus, Rows, vector
from tests.unit.ops.rollout.test_look import ANSWERS, NOW, gathered, scope


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([({"le": "0.5"}, 5.0)], "beyond the last bound are not counted"),
        ([({"le": "soon"}, 5.0)], "could not convert"),
    ],
)
def test_a_histogram_that_cannot_be_is_told(rows: Rows, words: str) -> None:
    found = gathered(FakePrometheus({**ANSWERS, "friday_llm_latency_seconds_bucket": rows}), scope())
    assert words in str(found["silent"])


def test_a_rise_that_was_estimated_too_low_is_no_fewer_calls_than_below() -> None:
    found = Distribution(buckets=((1.0, 10.0), (2.0, 9.99), (math.inf, 12.0)))
    assert found.buckets[1] == (2.0, 10.0)


def test_more_failed_calls_than_calls_are_told() -> None:
    with pytest.raises(ValueError, match="more calls failed"):
        Calls(total=1, failed=2)


def test_a_metric_that_is_gone_is_named_and_not_taken_as_0() -> None:
    fake = FakePrometheus(ANSWERS)
    asked = {each for query, _ in _queries(fake) for each in METRIC.findall(re.sub(r'"[^"]*"', "", query))}
    fake.names = tuple(sorted(asked - {"friday_llm_cost_usd_total"}))
    found = gathered(fake, scope())
    cause = "the metric friday_llm_cost_usd_total is not among those of friday: was it renamed?"
    assert (found["answers_cost"], found["silent"]) == (None, {"cost": cause})
    evidence = sound(answers_cost=None, silent={"cost": cause})
    said = verdict(judge(evidence, gate_input()), "cost")
    assert said.outcome is Outcome.INCONCLUSIVE
    assert cause in said.cause


def _queries(fake: FakePrometheus) -> list[tuple[str, float]]:
    gathered(fake, scope())
    return fake.asked


METRIC = re.compile(r"\b(?:friday|gateway|haproxy)_\w+")


def test_a_proxy_that_is_named_like_a_metric_is_none() -> None:
    fake = FakePrometheus(ANSWERS)
    fake.names = ("haproxy_frontend_http_responses_total", "gateway_chats_total", "gateway_overhead_seconds")
    told = str(gathered(fake, scope(has_friday=False))["silent"])
    assert "gateway_internal" not in told
    assert "was it renamed?" in told


def test_what_no_part_that_is_scraped_could_have_is_not_missed() -> None:
    fake = FakePrometheus(ANSWERS)
    fake.names = ("up", "process_start_time_seconds")
    assert gathered(fake, scope())["silent"] == {}


@pytest.mark.parametrize(("apart", "words"), [(90, "90 s ahead of this"), (-90, "90 s behind this"), (20, "")])
def test_clocks_that_differ_are_told(apart: float, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus, "time", SimpleNamespace(time=lambda: NOW))
    found = gathered(FakePrometheus({**ANSWERS, "vector(time())": vector(NOW + apart)}), scope())
    assert (words in str(found["silent"])) is True
    assert ("calls" in found) is (words == "")
