"""The page: all of the report is on it, in order, with its window and source; it needs nothing, and text stays text."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.report.model import Level, Report
from ops.report.page import TEMPLATES, render
from ops.report.page_words import quantity
from tests.unit.ops.report.drawn import read
from tests.unit.ops.report.reports import MARKUP, State, report
from tests.unit.ops.report.week import GAP, STEPS

VOID = {"meta", "link", "input"}


class Page(HTMLParser):
    """What a browser makes of a page, as far as these tests look: elements, and the text of each."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and data.strip():
            self.texts.append((self.open[-1], " ".join(data.split())))

    @property
    def text(self) -> str:
        return " ".join(text for tag, text in self.texts if tag not in ("style", "script"))

    def having(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module", params=State)
def page(request: pytest.FixtureRequest) -> tuple[Report, Page, str]:
    made = report(request.param)
    text = render(made)
    return made, Page(text), text


def test_the_verdict_and_the_next_command_come_first(page: tuple[Report, Page, str]) -> None:
    made, seen, _ = page
    heads = [(tag, attributes) for tag, attributes in seen.elements if re.fullmatch(r"h\d", tag)]
    assert [tag for tag, _ in heads].count("h1") == 1
    assert heads[0][0] == "h1"
    before = seen.text.index(made.verdict.headline)
    assert before < seen.text.index(made.verdict.command) < seen.text.index("Daily checklist")
    assert all(reason.text in seen.text for reason in made.verdict.reasons)
    assert seen.text.rindex(made.verdict.command) > seen.text.index("Next command")


def test_what_the_headline_says_is_said_once() -> None:
    made = report(State.FAILING)
    [reason] = made.verdict.reasons
    verdict = made.verdict.model_copy(update={"headline": f"{made.verdict.level}: {reason.text}"})
    seen = Page(render(made.model_copy(update={"verdict": verdict})))
    assert [text for _, text in seen.texts].count(reason.text) == 1
    assert "act now: " not in seen.text


def test_sections_come_in_the_order_in_which_people_ask(page: tuple[Report, Page, str]) -> None:
    _, seen, _ = page
    titles = [text for tag, text in seen.texts if tag == "h2"]
    assert titles == [
        "Alerts that fire now",
        "Daily checklist",
        "Weekly checklist",
        "Both paths over time",
        "LiteLLM against the direct path",
        "Gates of the next step",
        "Free requests",
        "Incidents",
        "What users say, and quality",
        "Where the numbers are from",
        "Next command",
    ]


def test_it_needs_nothing_else(page: tuple[Report, Page, str]) -> None:
    _, seen, text = page
    addresses = [
        value for _, each in seen.elements for name, value in each.items() if name in ("href", "src", "action")
    ]
    assert all(address.startswith(("#", "data:")) for address in addresses)
    outside = set(re.findall(r"https?://[^\"' )<]+", text))
    assert outside <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert not seen.having("script")
    assert not [name for _, each in seen.elements for name in each if name == "style" or name.startswith("on")]
    assert len(text.encode()) <= 2**20


def test_its_policy_lets_nothing_in(page: tuple[Report, Page, str]) -> None:
    _, seen, _ = page
    [policy] = [each["content"] for each in seen.having("meta") if each.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules.keys() == {"default-src", "style-src", "img-src", "base-uri", "form-action"}
    assert (rules["default-src"], rules["img-src"]) == ("'none'", "data:")
    assert re.fullmatch(r"'sha256-[A-Za-z0-9+/=]+'", rules["style-src"])


def test_tables_and_parts_say_what_they_are(page: tuple[Report, Page, str]) -> None:
    _, seen, text = page
    assert len(seen.having("table")) == len(seen.having("caption"))
    assert all(each.get("scope") in ("col", "row") for each in seen.having("th"))
    names = [each["id"] for _, each in seen.elements if "id" in each]
    assert len(names) == len(set(names))
    referred = [each["aria-labelledby"] for _, each in seen.elements if "aria-labelledby" in each]
    assert {name for each in referred for name in each.split()} <= set(names)
    assert {each["href"][1:] for each in seen.having("a")} <= set(names)
    assert len(seen.having("main")) == len(seen.having("header")) == len(seen.having("nav")) == 1
    assert '<html lang="en">' in text


def test_every_number_says_its_window_and_its_source(page: tuple[Report, Page, str]) -> None:
    made, seen, _ = page
    captions = " ".join(text for tag, text in seen.texts if tag == "caption")
    for check in (*made.daily, *made.weekly):
        assert check.says in seen.text
        for figure in check.figures:
            assert f"from {figure.source}" in captions
            assert quantity(figure.value, figure.unit) in seen.text


def test_the_table_behind_a_plot_has_the_same_numbers(page: tuple[Report, Page, str]) -> None:
    made, _, text = page
    for series in made.series:
        if not any(value is not None for line in series.lines for value in line.values):
            assert f'<p class="none">No data: {series.why}' in text or '<p class="none">No data.' in text
            continue
        table = text.split(f'<details id="table-{series.name}">')[1].split("</details>")[0]
        rows = re.findall(r'<tr><th scope="row">([\d :-]+)</th>(.*)</tr>', table)
        assert len(rows) == STEPS
        for step, (_, cells) in enumerate(rows):
            expected = [line.values[step] for line in series.lines]
            shown = re.findall(r"<td>([^<]*)</td>", cells)
            assert shown == ["no data" if value is None else quantity(value, series.unit) for value in expected]
        drawing = text.split(f'data-series="{series.name}">')[1].split("</div>")[0]
        assert len(read(drawing).lines) == len(series.lines)
    assert GAP.stop < STEPS


def test_no_data_is_never_shown_as_zero() -> None:
    seen = Page(render(report(State.NO_DATA)))
    assert "no scrape in the window" in seen.text
    cells = [text for tag, text in seen.texts if tag == "td"]
    assert "unknown" in cells
    assert not [cell for cell in cells if re.match(r"\$?0", cell) and cell != "0 %"]
    assert cells.count("0 %") == 1  # where the first step of the history came from


def test_alerts_that_nobody_could_see_are_not_called_none() -> None:
    unseen, seen = render(report(State.NO_DATA)), render(report(State.HEALTHY))
    assert "Whether an alert is firing is not known: Prometheus did not answer." in unseen
    assert "No alert is firing." in seen
    assert "No alert is firing." not in unseen


def test_text_from_outside_stays_text() -> None:
    text = render(report(State.FAILING))
    assert MARKUP not in text
    seen = Page(text)
    assert not [tag for tag, _ in seen.elements if tag == "b"]
    shown = "".join(part for _, part in seen.texts)
    assert MARKUP.replace(" ", "") in shown.replace(" ", "")


@settings(max_examples=10)
@given(st.text(max_size=40))
def test_any_text_can_stand_anywhere(said: str) -> None:
    made = report(State.NO_DATA)
    verdict = made.verdict.model_copy(update={"headline": said, "command": said})
    incidents = tuple(each.model_copy(update={"title": said, "details": said}) for each in made.incidents)
    Page(render(made.model_copy(update={"verdict": verdict, "incidents": incidents, "notes": (said,), "stack": said})))


def test_the_same_report_is_the_same_page() -> None:
    assert render(report()) == render(report())


@pytest.mark.parametrize("level", Level)
def test_each_level_has_a_sign_and_a_word_beside_its_colour(level: Level) -> None:
    made = report(State.NO_DATA)
    text = render(made.model_copy(update={"verdict": made.verdict.model_copy(update={"level": level})}))
    first = text.split('<section class="verdict')[1].split("</h1>")[0]
    assert f'<span class="level">{level.capitalize()}</span>' in first
    assert '<svg class="icon"' in first


def test_a_stack_that_is_not_deployed_says_so() -> None:
    made = report(State.NO_DATA).model_copy(
        update={"rollout": None, "series": (), "daily": (), "gates": (), "sources": ()}
    )
    seen = Page(render(made))
    assert "The stack is not deployed." in seen.text
    assert "No data over time." in seen.text


def test_the_live_page_asks_for_itself_alone() -> None:
    text = render(report(), refresh_seconds=5)
    seen = Page(text)
    [policy] = [each["content"] for each in seen.having("meta") if each.get("http-equiv") == "Content-Security-Policy"]
    assert "connect-src 'self'" in policy
    assert "script-src 'sha256-" in policy
    assert text.count("<script>") == 1
    assert (TEMPLATES / "live.js").read_text(encoding="utf-8") in text
    assert "every 5 s" in seen.text
