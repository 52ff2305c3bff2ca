"""The report in a real browser: it renders and asks nobody, its plots hold the model's numbers, and people who cannot
see colours or a screen can use it.
"""

import pytest
from playwright.sync_api import Browser, expect

from ops.errors import OperationError
from ops.report.page import render
from ops.report.page_words import quantity
from testing import browser
from tests.integration.seen_page import DESK, VIEWS, barriers, seen, served_page
from tests.unit.ops.report.drawn import read
from tests.unit.ops.report.reports import MARKUP, State, report
from tests.unit.ops.report.week import STEPS

pytestmark = [pytest.mark.engine, pytest.mark.beside]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("state", State)
def test_it_can_be_used_by_everybody(chromium: Browser, axe: str, state: State, view: str) -> None:
    with seen(chromium, lambda: render(report(state)), view) as opened:
        expect(opened.get_by_role("heading", level=1)).to_contain_text(report(state).verdict.headline)
        assert barriers(opened, axe) == []
        assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_its_plots_hold_the_numbers_of_the_model_and_of_the_tables(chromium: Browser) -> None:
    made = report(State.FAILING)
    with seen(chromium, lambda: render(made)) as opened:
        for series in made.series:
            plot = opened.locator(f"[data-series={series.name}]")
            box = plot.bounding_box()
            assert box
            assert box["width"] > 300
            drawn = read(plot.locator("svg").evaluate("each => new XMLSerializer().serializeToString(each)"))
            table = opened.locator(f"#table-{series.name}")
            table.locator("summary").click()
            rows = table.locator("tbody tr").evaluate_all(
                "rows => rows.map(row => [...row.cells].map(c => c.innerText))"
            )
            assert len(rows) == STEPS
            for index, (line, stretches) in enumerate(zip(series.lines, drawn.lines, strict=True)):
                values = {round(x * STEPS) - 1: y for stretch in stretches for x, y in stretch}
                assert values.keys() == {step for step, value in enumerate(line.values) if value is not None}
                for step, value in enumerate(line.values):
                    shown = rows[step][index + 1]
                    if value is None:
                        assert shown == "no data"
                    else:
                        assert shown == quantity(value, series.unit)
                        assert values[step] == pytest.approx(value, rel=0.01, abs=1e-4)


def test_a_plot_is_seen_on_paper_and_in_the_dark(chromium: Browser) -> None:
    colours = {}
    for view in ("light", "dark", "print"):
        with seen(chromium, lambda: render(report()), view) as opened:
            paths = opened.locator("[data-series=calls] .mark-line path")
            colours[view] = paths.evaluate_all("all => all.map(each => getComputedStyle(each).stroke)")
            dashes = paths.evaluate_all("all => all.map(each => getComputedStyle(each).strokeDasharray)")
            assert len(set(dashes)) == 3
    assert all(colour.startswith("rgb(") for each in colours.values() for colour in each)
    assert len(set(colours["light"])) == len(set(colours["dark"])) == 3
    assert not set(colours["light"]) & set(colours["dark"])
    assert "rgb(0, 0, 0)" in colours["print"]


def test_text_from_outside_is_text(chromium: Browser) -> None:
    with seen(chromium, lambda: render(report(State.FAILING))) as opened:
        assert opened.locator("main b, main [onclick]").count() == 0
        expect(opened.get_by_text(MARKUP).first).to_be_visible()


def test_the_live_page_is_new_by_itself_and_says_when_it_cannot_be(chromium: Browser) -> None:
    answer: list[State | None] = [State.HEALTHY]

    def make() -> str:
        if answer[0] is None:
            raise OperationError("Prometheus does not answer", "look")
        return render(report(answer[0]), refresh_seconds=1)

    with served_page(make) as address, browser.page(chromium, **DESK) as opened:
        opened.goto(address)
        head = opened.get_by_role("heading", level=1)
        expect(head).to_contain_text("All is well")
        opened.locator("#table-calls summary").click()
        answer[0] = State.FAILING
        expect(head).to_contain_text("get errors", timeout=30_000)
        expect(opened).to_have_title("prod: act now - Friday's rollout")
        expect(opened.locator("#table-calls")).to_have_attribute("open", "")
        answer[0] = None
        expect(opened.get_by_role("status")).to_contain_text("No new figures since", timeout=30_000)
        expect(head).to_contain_text("get errors")
        answer[0] = State.AT_0
        expect(head).to_contain_text("nobody uses the gateway yet", timeout=30_000)
        expect(opened.get_by_role("status")).to_be_empty()


def test_without_scripts_the_live_page_is_whole(chromium: Browser, axe: str) -> None:
    with served_page(lambda: render(report(), refresh_seconds=1)) as address:
        with browser.page(chromium, java_script_enabled=False, **DESK) as opened:
            opened.goto(address)
            expect(opened.get_by_role("heading", level=2)).to_have_count(11)
            expect(opened.get_by_role("checkbox")).to_have_count(0)
            expect(opened.get_by_role("link", name="refresh now")).to_be_visible()
        with browser.page(chromium, **DESK) as opened:
            opened.goto(address)
            assert barriers(opened, axe) == []
