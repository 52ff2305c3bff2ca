"""How a window is cut into steps, and how what was counted in them is added up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.report.grid import Grid, Rows, spans


@pytest.mark.parametrize(
    ("seconds", "step", "count"), [(300, 15, 20), (3600, 15, 240), (86_400, 300, 288), (604_800, 1800, 336)]
)
def test_a_window_has_steps_that_people_can_read(seconds: float, step: float, count: int) -> None:
    grid = Grid.of(seconds, 1_800_000_000.0, scrape_seconds=5)
    assert (grid.step, grid.count) == (step, count)


@given(st.floats(300, 400 * 86_400), st.integers(1, 60))
def test_a_grid_covers_its_window_in_a_bounded_number_of_steps(seconds: float, scrape: int) -> None:
    grid = Grid.of(seconds, 1_800_000_000.0, scrape)
    assert grid.count * grid.step >= seconds
    assert 1 <= grid.count <= 360
    assert grid.step >= 2 * scrape
    assert [grid.place(end) for end in grid.ends] == list(range(grid.count))


def test_a_moment_beyond_the_window_is_in_no_step() -> None:
    grid = Grid(1000.0, 10.0, 5)
    assert (grid.place(950.0), grid.place(1010.0)) == (None, None)


def test_what_nobody_saw_is_no_zero() -> None:
    assert Rows((None, None)).total() is None
    assert Rows((None, {("a",): 1.0}, {("a",): 2.0, ("b",): 1.0})).total() == {("a",): 3.0, ("b",): 1.0}
    assert Rows(({("a",): 1.0}, None)).total(1) is None


def test_runs_of_what_is_bad_are_spans() -> None:
    assert list(spans([True, False, True, True])) == [(0, 0), (2, 3)]
    assert list(spans([])) == []
