"""Makes the tables of faults in FAULTS.md from their declarations. `python -m docs.faults` rewrites them."""

from collections.abc import Sequence
from pathlib import Path

from docs.marked import filled
from testing.faults.elsewhere import ELSEWHERE
from testing.faults.fault import Fault, Place
from testing.faults.hosts import HOSTS
from testing.faults.parts import PARTS

PAGE = Path(__file__).with_name("FAULTS.md")
_END = "<!-- end -->"


def table(faults: Sequence[Fault[Place]]) -> str:
    """Return a row for each fault."""
    rows = [
        f"| {each.name} | {each.begins} | {each.ends} | {each.notice} | {each.promise.value} "
        f"| {each.slowest:.0f} s | {each.back:.0f} s |"
        for each in faults
    ]
    head = "| fault | begins | ends | users notice | promise | slowest | back |"
    return "\n".join([head, "|---|---|---|---|---|---|---|", *rows, ""])


def others() -> str:
    """Return a row for each fault that another test plays."""
    rows = [f"| {each.name} | {each.promise} | {_link(each.test)} |" for each in ELSEWHERE]
    return "\n".join(["| fault | promise | test |", "|---|---|---|", *rows, ""])


def _link(test: str) -> str:
    path, _, name = test.partition("::")
    return f"[{name or path}](../{path})"


def with_tables(text: str) -> str:
    """Return the page with up-to-date tables; ValueError when it has no place for one."""
    for what, content in (("parts", table(PARTS)), ("hosts", table(HOSTS)), ("others", others())):
        text = filled(text, PAGE.name, what, f"<!-- {what}: made by docs/faults.py -->\n", _END, content)
    return text


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
