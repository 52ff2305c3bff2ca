"""The arithmetic and the text of the benchmarks; only `./fridayctl bench` measures."""

import asyncio
import importlib
import json

import pytest

from benchmarks.figures import Figure, number, table
from benchmarks.http_client import PERCENTAGE_HEADER, chat, chat_of_number, completion
from benchmarks.load import Plan, Record, run
from benchmarks.load_during import LoadDuring, failed_requests, last_of_old
from benchmarks.measures.added_time import added
from benchmarks.measures.memory import used
from benchmarks.registry import MEASUREMENTS
from benchmarks.suite import Report


def record(number: int, start: float, duration: float, percentage: str = "", error: str | None = None) -> Record:
    headers = {PERCENTAGE_HEADER: percentage} if percentage else {}
    return Record(number, start, start, duration, error, headers)


@pytest.mark.parametrize(
    ("values", "ok", "shown"),
    [
        ((4.0,), True, "4 s"),
        ((4.01,), False, "4.01 s"),
        ((9.0, 3.5, 1.0), True, "1 / 3.50 / 9 s"),
        ((9.0, 5.0, 1.0), False, "1 / 5 / 9 s"),
    ],
)
def test_the_median_is_judged_and_the_spread_is_shown(values: tuple[float, ...], ok: bool, shown: str) -> None:
    figure = Figure("up", 4, "s", values)
    assert (figure.ok, figure.shown) == (ok, shown)


def test_a_figure_without_values_is_refused() -> None:
    with pytest.raises(ValueError, match="up: there should be at least one value"):
        Figure("up", 4, "s", ())


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (0.426, "0.43"), (-0.2, "-0.20"), (12.34, "12.3"), (743.6, "744"), (1500, "1500")]
)
def test_numbers_have_the_digits_that_mean_something(value: float, text: str) -> None:
    assert number(value) == text


def test_the_table_has_a_verdict_for_each_target_and_the_notes_below() -> None:
    figures = [
        Figure("failed", 0, "requests", (1,), "of 10 requests"),
        Figure("up", 30, "s", (20.5,)),
        Figure("command", None, "s", (99.5,)),
    ]
    assert table(figures).splitlines() == [
        "what    | target     | measured (min / median / max) | ok",
        "--------|------------|-------------------------------|----",
        "failed  | 0 requests | 1 requests                    | NO",
        "up      | 30 s       | 20.5 s                        | yes",
        "command |            | 99.5 s                        |",
        "",
        "failed: of 10 requests",
    ]


@pytest.mark.parametrize(("values", "ok"), [((20.0,), True), ((40.0,), False)])
def test_a_report_is_ok_when_every_figure_is(values: tuple[float, ...], ok: bool) -> None:
    figures = [Figure("down", 15, "s", (9.0,)), Figure("up", 30, "s", values), Figure("reported", None, "s", (99.0,))]
    report = Report("2026-01-01 00:00 UTC", 2, 0.5, figures)
    shown = json.loads(json.dumps(report.document()))
    assert (report.ok, shown["ok"], shown["figures"][1]["ok"]) == (ok, ok, ok)
    assert (shown["cpus"], shown["figures"][1]["median"], shown["figures"][2]["target"]) == (2, values[0], None)


def test_what_users_saw_while_something_was_done() -> None:
    records = [
        record(0, 1.0, 0.1, "50"),
        record(1, 5.0, 2.5, "50"),
        record(2, 6.0, 0.1, "60"),
        record(3, 6.5, 0.1, error="timeout"),
    ]
    done = LoadDuring(records, began=3.0, seconds=8.0)
    assert done.last(PERCENTAGE_HEADER, "50") == pytest.approx(4.5)
    assert done.last(PERCENTAGE_HEADER, "50", started=True) == pytest.approx(2.0)
    taken, answered = last_of_old("", 5, [(done, "50")])
    assert taken.values == pytest.approx((2.0,))
    assert answered.values == pytest.approx((4.5,))


def test_what_was_lost_in_several_loads_is_one_figure() -> None:
    loads = [
        LoadDuring([record(0, 1.0, 0.1), record(1, 2.0, 0.1, error="timeout")], began=0.0, seconds=1.0),
        LoadDuring([record(0, 1.0, 0.1)], began=0.0, seconds=1.0),
        LoadDuring(
            [record(number, 1.0, 0.1, error=error) for number, error in enumerate(("timeout", "timeout", "OSError"))],
            0,
            1,
        ),
    ]
    figure = failed_requests("failed", 0, loads)
    assert (figure.values, figure.ok) == ((4,), False)
    assert figure.note == "of 6, 3 timeout, 1 OSError; the load generator was at most 0 ms late"


def test_what_was_not_seen_is_no_figure() -> None:
    with pytest.raises(RuntimeError, match=f"no answer with {PERCENTAGE_HEADER}: 60 was seen"):
        LoadDuring([record(0, 1.0, 0.1, "50")], began=3.0, seconds=8.0).last(PERCENTAGE_HEADER, "60")


def test_what_a_path_adds_is_the_difference_of_the_percentiles() -> None:
    through = [record(n, n, (800 + 2 * n) / 1000) for n in range(1, 101)]
    straight = [record(n, n, (800 + n) / 1000) for n in range(1, 101)]
    assert added(through, straight, 0.5) == pytest.approx(50)
    assert added(through, straight, 0.95) == pytest.approx(95)


def test_a_failed_request_spoils_what_a_path_adds() -> None:
    with pytest.raises(RuntimeError, match="1 of 2 requests failed"):
        added([record(0, 0, 1), record(1, 1, 1, error="timeout")], [record(0, 0, 1)], 0.5)


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        ({"usage": 100, "stats": {"total_inactive_file": 30, "inactive_file": 1}}, 70),
        ({"usage": 100, "stats": {"inactive_file": 40}}, 60),
        ({"usage": 100}, 100),
    ],
)
def test_memory_leaves_the_idle_file_cache_out(memory: dict[str, object], expected: int) -> None:
    assert used(memory) == expected


def test_questions_are_as_friday_and_the_gateway_read_them() -> None:
    assert chat_of_number(142) == chat(42)
    assert chat(42).body["user_id"] == 42
    request = completion("/v1/chat/completions", "k", "m")
    assert request.headers["Authorization"] == "Bearer k"
    assert request.body["model"] == "m"


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_every_name_has_its_measurement(name: str) -> None:
    module = importlib.import_module(f"benchmarks.measures.{MEASUREMENTS[name].module}")
    assert callable(getattr(module, name))


def test_a_run_ends_on_request() -> None:
    asked: list[None] = []

    def until() -> bool:
        asked.append(None)
        return len(asked) > 3

    plan = Plan("http://127.0.0.1:9", 1000, chat_of_number, until=until)  # nothing listens there: each request fails
    assert len(asyncio.run(run(plan))) == 3
