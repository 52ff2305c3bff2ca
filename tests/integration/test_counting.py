"""How the rollout counts, shown to a real Prometheus: nothing that happened within the window is missed."""

import itertools
from pathlib import Path

import docker
import pytest
import yaml
from docker.errors import ContainerError

from images.tags import local_images
from indicators.promql import counted, sampled
from ops.rollout.gates.look import Look, Sample, Scope, Window

pytestmark = [pytest.mark.engine, pytest.mark.beside]

# A value each 15 s from 0 s on; the window is the last 120 s before 300 s, so it holds 180 s to 300 s.
SERIES: dict[str, tuple[str, float | None]] = {
    "steady": ("100+1x30", 8),
    "quiet": ("7+0x30", 0),
    "born": ("_x15 3+0x15", 3),
    "born and rising": ("_x15 3+1x15", 8),
    "reset": ("9+0x15 2+0x15", 2),
    "reset at the window's edge": ("9+0x11 _ 2+0x17", 2),
    "reset at the window's edge and rising past": ("9+0x11 _ 0+3x17", 21),
    "gone": ("1+1x14 stale", 2),
    "gone before": ("1+1x9 stale", None),
}
DOLLARS: dict[str, tuple[str, float | None]] = {"born": ("_x15 0.01+0x15", 0.01)}


def check(folder: Path, tests: list[dict[str, object]]) -> str:
    """Run promtool's tests and return what it says."""
    (folder / "tests.yml").write_text(yaml.safe_dump({"evaluation_interval": "15s", "tests": tests}), encoding="utf-8")
    said: bytes = docker.from_env().containers.run(
        local_images()["prometheus"],
        ["test", "rules", "/tests/tests.yml"],
        entrypoint=["promtool"],
        user="0",
        volumes={str(folder): {"bind": "/tests", "mode": "ro"}},
        remove=True,
    )
    return said.decode()


def case(series: dict[str, tuple[str, float | None]], expression: str) -> dict[str, object]:
    expected = [
        {"labels": f'{{kind="{kind}"}}', "value": value} for kind, (_, value) in series.items() if value is not None
    ]
    return {
        "interval": "15s",
        "input_series": [{"series": f'm{{kind="{kind}"}}', "values": values} for kind, (values, _) in series.items()],
        "promql_expr_test": [{"expr": expression, "eval_time": "5m", "exp_samples": expected}],
    }


def test_counters_are_counted_from_their_birth_over_their_restarts_and_to_their_end(tmp_path: Path) -> None:
    said = check(tmp_path, [case(SERIES, counted("m", "2m", ("kind",))), case(DOLLARS, counted("m", "2m", ("kind",)))])
    assert "SUCCESS" in said


# By minutes: Prometheus was away for eight of them, and back a minute before the window of two begins to end.
OUTAGES: dict[str, tuple[dict[str, str], float]] = {
    "went on": ({"": "1000x5 _x7 1003x3"}, 3),
    "a life that ended and one that began": ({"a": "5x5", "b": "_x13 4x2"}, 4),
    "a life that ended and one that got further": ({"a": "5x5", "b": "_x13 8x2"}, 8),
    "two that went on": ({"a": "100x5 _x7 101x3", "b": "50x5 _x7 52x3"}, 3),
    "of one name, and further down": ({"": "9x5 _x7 4x3"}, 4),
}
"""The samples of each life, and how many calls the window counts. A life is a label: see `serving/exposition.py`."""


def test_what_was_counted_while_prometheus_was_away_is_counted_once(tmp_path: Path) -> None:
    lives = [
        {"series": f'm{{kind="{kind}", life="{life}"}}', "values": values}
        for kind, (series, _) in OUTAGES.items()
        for life, values in series.items()
    ]
    expected = [{"labels": f'{{kind="{kind}"}}', "value": value} for kind, (_, value) in OUTAGES.items()]
    question = {"expr": counted("m", "2m", ("kind",)), "eval_time": "14m", "exp_samples": expected}
    said = check(tmp_path, [{"interval": "1m", "input_series": lives, "promql_expr_test": [question]}])
    assert "SUCCESS" in said


def test_a_wrong_expectation_would_be_told(tmp_path: Path) -> None:
    wrong = {**SERIES, "born": (SERIES["born"][0], 0.0)}
    with pytest.raises(ContainerError):
        check(tmp_path, [case(wrong, counted("m", "2m", ("kind",)))])


def test_the_time_is_sampled_over_the_whole_window_and_not_beyond(tmp_path: Path) -> None:
    share, seen = (
        sampled("avg_over_time", "min(up) > bool 0", "1m", "5s"),
        sampled("count_over_time", "count(up)", "1m", "5s"),
    )
    expected = [(share, "55s", 1), (share, "2m", 0), (seen, "2m", 13)]
    halves: dict[str, object] = {
        "interval": "5s",
        "input_series": [{"series": "up", "values": "1x11 0x12"}],
        "promql_expr_test": [
            {"expr": expression, "eval_time": at, "exp_samples": [{"labels": "{}", "value": value}]}
            for expression, at, value in expected
        ],
    }
    assert "SUCCESS" in check(tmp_path, [halves])


# A counter by minutes; None is no sample.
MINUTES: dict[str, list[int | None]] = {
    "burst": [100, 101, 102, 103, 104, 105, 135, 136, 137, 138, 139],
    "restarted": [100, 101, 102, 103, 104, 105, 0, 1, 2, 3, 4],
    "away for a while": [100, 101, None, None, None, None, None, None, None, 400, 401],
}


def samples(minutes: list[int | None], seconds: int) -> str:
    """Return the counter as promtool reads it, with a sample each `seconds`."""
    steps, found = 60 // seconds, []
    for now, then in itertools.pairwise(minutes):
        rise = 0 if now is None or then is None or then < now else then - now
        found += ["_" if now is None else f"{now + rise * step / steps:g}" for step in range(steps)]
    return " ".join([*found, str(minutes[-1])])


def asked_for_the_busiest_minute(metric: str) -> str:
    """Return the expression that the quota gate asks of ten minutes."""
    asked: list[str] = []

    def ask(expression: str, _: float) -> list[Sample]:
        asked.append(expression)
        return [Sample.model_validate({"metric": {}, "value": [0, 1]})]

    Look(ask, Scope(600, {}, True, None), Window(600, 600)).load(metric, alive="m")
    (found,) = (each for each in asked if each.startswith("max_over_time("))
    return found


@pytest.mark.parametrize(("name", "busiest"), [("burst", 30), ("restarted", 1), ("away for a while", 1)])
def test_the_busiest_minute_is_the_same_however_often_prometheus_looks(
    tmp_path: Path, name: str, busiest: float
) -> None:
    expected = [{"labels": "{}", "value": busiest}]
    question = {"expr": asked_for_the_busiest_minute("m"), "eval_time": "10m", "exp_samples": expected}
    tests: list[dict[str, object]] = [
        {
            "interval": f"{seconds}s",
            "input_series": [{"series": "m", "values": samples(MINUTES[name], seconds)}],
            "promql_expr_test": [question],
        }
        for seconds in (5, 15, 30, 60)
    ]
    assert "SUCCESS" in check(tmp_path, tests)
