"""A part of a page that code writes, between two marks."""


def filled(text: str, page: str, what: str, begin: str, end: str, content: str) -> str:
    """Return a page's text with other content between two marks; ValueError when it has no place for `what`."""
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{page}: expected a place for the {what}, {begin.strip()} to {end}")
    return f"{before}{begin}{content}{end}{after}"
