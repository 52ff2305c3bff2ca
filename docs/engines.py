"""Makes the table of engines in ENGINES.md from what tests/engines noted. `python -m docs.engines` rewrites both."""

from pathlib import Path

from docs.marked import filled
from testing import engine_results
from testing.engine_results import Row, Rows
from toolchain.versions import DOCKER_PROVIDER, numbers

PAGE = Path(__file__).with_name("ENGINES.md")
DATA = Path(__file__).with_name("engines.json")
_BEGIN, _END = "<!-- engines: made by docs/engines.py -->\n", "<!-- end -->"
COLUMNS = {
    "test_images_pushed_to_it": "`images push` to it",
    "test_up_and_up_again": "`up`, and `up` again",
    "test_changed_percentage": "changed percentage",
    "test_verify": "`verify`",
    "test_drift_and_fix": "`drift --fix`",
    "test_rollback_level_1": "rollback 1",
    "test_rollback_level_2": "2",
    "test_rollback_level_4": "4",
    "test_rollback_level_3": "3",
    "test_images_pushed_from_it": "`images push` from it",
    "test_down": "`down`",
}
"""What each test of tests/engines/test_stack.py shows, in their order."""
OFFICIAL = f"official {DOCKER_PROVIDER}"
_WORDS = {True: "passed", False: "**failed**", None: "not run"}


def table(rows: Rows) -> str:
    """Return the table, oldest engine first."""
    ordered = sorted(((Row.of(key), passed) for key, passed in rows.items()), key=_rank)
    lines = [("engine", "API", "image store", "Docker plugin", *COLUMNS.values()), ("---",) * (4 + len(COLUMNS))]
    for row, passed in ordered:
        cells = [_WORDS[passed.get(test)] for test in COLUMNS]
        lines.append((row.engine, row.api, row.store, row.plugin, *cells))
    if not any(row.plugin == OFFICIAL for row, _ in ordered):
        lines.append(("any", "", "", OFFICIAL, *("not run here" for _ in COLUMNS)))
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _rank(found: tuple[Row, dict[str, bool]]) -> tuple[tuple[int, ...], str, str]:
    row, _ = found
    return numbers(row.api), row.store, row.plugin


def with_table(text: str, rows: Rows) -> str:
    """Return the page with an up-to-date table; ValueError when it has no place for it."""
    return filled(text, PAGE.name, "table", _BEGIN, _END, table(rows))


def merged(before: Rows, noted: Rows) -> Rows:
    """Return what is known of each row: each test's last outcome."""
    return {key: {**before.get(key, {}), **noted.get(key, {})} for key in {*before, *noted}}


if __name__ == "__main__":
    engine_results.write(DATA, merged(engine_results.read(DATA), engine_results.read(engine_results.path())))
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), engine_results.read(DATA)), encoding="utf-8")
