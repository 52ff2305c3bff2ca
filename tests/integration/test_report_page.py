"""The report in a real browser: it renders and asks nobody, its plots hold the model's numbers, and people who cannot
see colours or a screen can use it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from ops.commands.dashboard import listening, url
from ops.errors import OperationError
from ops.report.page import render
from ops.report.page_words import quantity
from testing import browser, clients
from testing.served import served
from tests.unit.ops.report.drawn import read
from tests.unit.ops.report.reports import MARKUP, State, report
from tests.unit.ops.report.week import STEPS

pytestmark = [pytest.mark.engine, pytest.mark.beside]

DESK = {"viewport": {"width": 1280, "height": 900}}
VIEWS: dict[str, dict[str, Any]] = {
    "light": DESK | {"color_scheme": "light"},
    "dark": DESK | {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True},
    "print": {"viewport": {"width": 720, "height": 1000}},
}


@pytest.fixture(scope="module")
def axe() -> str:
    """Return axe-core's script. It is evaluated from outside: the page's own policy stays as it is."""
    _, folder = clients.packages(clients.PAGE)
    return (folder / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


@contextmanager
def dashboard(make: Callable[[], str]) -> Iterator[str]:
    with listening(make, 0) as server, served(server):
        yield url(server)


@contextmanager
def seen(chromium: Browser, make: Callable[[], str], view: str = "light") -> Iterator[Page]:
    """Open a page; at its end nothing may have been complained about, and nothing asked but the page itself."""
    with dashboard(make) as address, browser.page(chromium, **VIEWS[view]) as opened:
        said, asked = list[str](), set[str]()
        opened.on("console", lambda message: said.append(message.text))
        opened.on("pageerror", lambda error: said.append(str(error)))
        opened.on("request", lambda request: asked.add(request.url))
        if view == "print":
            opened.emulate_media(media="print")
        opened.goto(address)
        yield opened
        assert said == []
        assert {each for each in asked if not each.startswith("data:")} == {address}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("state", State)
def test_it_can_be_used_by_everybody(chromium: Browser, axe: str, state: State, view: str) -> None:
    with seen(chromium, lambda: render(report(state)), view) as opened:
        expect(opened.get_by_role("heading", level=1)).to_contain_text(report(state).verdict.headline)
        opened.evaluate(axe)
        found = opened.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        worst = [each for each in found if each["impact"] in ("serious", "critical")]
        assert not worst, [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in worst]
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

    with dashboard(make) as address, browser.page(chromium, **DESK) as opened:
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
    with dashboard(lambda: render(report(), refresh_seconds=1)) as address:
        with browser.page(chromium, java_script_enabled=False, **DESK) as opened:
            opened.goto(address)
            expect(opened.get_by_role("heading", level=2)).to_have_count(11)
            expect(opened.get_by_role("checkbox")).to_have_count(0)
            expect(opened.get_by_role("link", name="refresh now")).to_be_visible()
        with browser.page(chromium, **DESK) as opened:
            opened.goto(address)
            opened.evaluate(axe)
            found = opened.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
            assert not [each["id"] for each in found if each["impact"] in ("serious", "critical")]
