"""Which fault a request meets, latency distributions, and what the operator API accepts."""

import random
import statistics
import threading
import time
from typing import Any

import pytest

from simulator.distributions import Fixed
from simulator.faults import FAULTS, FaultBook
from tests.unit.simulator.conftest import GEMMA, GEMMA_SMALL, Api


def test_fault_meets_only_its_model_and_its_first_requests(api: Api) -> None:
    api.faults({"kind": "status", "status": 500, "model": GEMMA, "count": 2})
    assert [api.chat().status_code for _ in range(3)] == [500, 500, 200]
    assert api.chat(GEMMA_SMALL).status_code == 200
    assert api.http.get("/admin/faults").json()[0]["met"] == 2


def test_first_fault_that_fits_wins_and_the_next_follows_when_it_is_used_up(api: Api) -> None:
    api.faults(
        {"kind": "status", "status": 500, "count": 1},
        {"kind": "status", "status": 503, "count": 1},
    )
    assert [api.chat().status_code for _ in range(3)] == [500, 503, 200]


def test_probability_is_repeatable(api: Api) -> None:
    def drawn() -> list[int]:
        api.http.post("/admin/reset", json={"seed": 5})
        api.faults({"kind": "status", "status": 500, "probability": 0.5})
        return [api.chat().status_code for _ in range(30)]

    first = drawn()
    assert first == drawn()
    assert 5 < first.count(500) < 25


def test_latency_goes_with_another_fault(api: Api) -> None:
    api.faults(
        {"kind": "latency", "distribution": {"kind": "fixed", "ms": 200}},
        {"kind": "body", "body": "empty_content"},
    )
    begun = time.monotonic()
    assert api.chat().json()["choices"][0]["message"]["content"] == ""
    assert time.monotonic() - begun >= 0.2


def sampled(distribution: dict[str, Any], model: str = GEMMA) -> list[float]:
    book = FaultBook(random.Random(1), Fixed(ms=5))  # noqa: S311 - repeatable on purpose
    book.replace(FAULTS.validate_python([{"kind": "latency", "model": GEMMA, "distribution": distribution}]))
    return sorted(book.latency_seconds(model) * 1000 for _ in range(4000))


def test_distributions_have_the_shape_that_was_asked_for() -> None:
    assert set(sampled({"kind": "fixed", "ms": 800})) == {800}
    uniform = sampled({"kind": "uniform", "low_ms": 100, "high_ms": 300})
    assert 100 <= uniform[0] < 110
    assert 290 < uniform[-1] <= 300
    lognormal = sampled({"kind": "lognormal", "median_ms": 800, "p95_ms": 2400})
    assert statistics.median(lognormal) == pytest.approx(800, rel=0.05)
    assert lognormal[3800] == pytest.approx(2400, rel=0.1)
    assert set(sampled({"kind": "fixed", "ms": 800}, model=GEMMA_SMALL)) == {5}


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "nonsense"},
        {"kind": "status", "status": 200},
        {"kind": "status", "status": 500, "probability": 1.5},
        {"kind": "status", "status": 500, "count": 0},
        {"kind": "hang", "extra": 1},
        {"kind": "drip", "interval_ms": 0},
        {"kind": "latency", "distribution": {"kind": "uniform", "low_ms": 2, "high_ms": 1}},
        {"kind": "latency", "distribution": {"kind": "lognormal", "median_ms": 2, "p95_ms": 1}},
        {"kind": "latency", "distribution": {"kind": "fixed", "ms": -1}},
    ],
)
def test_wrong_faults_are_refused_and_change_nothing(api: Api, fault: dict[str, Any]) -> None:
    api.faults({"kind": "hang", "model": "x"})
    response = api.http.put("/admin/faults", json=[fault])
    assert response.status_code == 400
    assert "body.0" in response.json()["error"]["message"]
    assert [f["kind"] for f in api.http.get("/admin/faults").json()] == ["hang"]


def test_clearing_the_faults_lets_hanging_requests_go(api: Api) -> None:
    api.faults({"kind": "hang"})
    statuses: list[int] = []
    caller = threading.Thread(target=lambda: statuses.append(api.chat().status_code))
    caller.start()
    assert api.eventually(lambda: len(api.requests()) == 1)
    api.http.delete("/admin/faults")
    caller.join(3)
    assert statuses == [503]
