"""Makes what API.md can take from the code: the table of errors. `python -m docs.reference` writes it anew."""

from pathlib import Path

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


def with_tables(text: str) -> str:
    """Return the page with its tables as the code is now; ValueError when it has no place for them."""
    before, _, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not end:
        raise ValueError(f"{PAGE.name}: there should be a place for the errors, {_BEGIN.strip()} to {_END}")
    return f"{before}{_BEGIN}{errors_table()}{end}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
