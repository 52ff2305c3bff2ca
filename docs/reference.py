"""Makes the table of errors in API.md from the code. `python -m docs.reference` rewrites it."""

from pathlib import Path

from docs.marked import filled
from friday.llm import LlmError, errors

PAGE = Path(__file__).with_name("API.md")
_BEGIN, _END = "<!-- errors: made by docs/reference.py -->\n", "<!-- end -->"


def errors_table() -> str:
    """Return a row for each error: its class, kind, HTTP status, what it means and what a caller can do."""
    found = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, LlmError)]
    rows = [
        f"| `{kind.__name__}` | `{kind.kind}` | {kind.http_status} | {' '.join((kind.__doc__ or '').split())} "
        f"| {kind.advice} |"
        for kind in found
        if kind is not LlmError
    ]
    return "\n".join(
        ["| error | kind | HTTP | what it means | what a caller can do |", "|---|---|---|---|---|", *rows, ""]
    )


def with_errors_table(text: str) -> str:
    """Return the page with an up-to-date table; ValueError when it has no place for it."""
    return filled(text, PAGE.name, "errors", _BEGIN, _END, errors_table())


if __name__ == "__main__":
    PAGE.write_text(with_errors_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
