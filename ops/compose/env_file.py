""".env files as compose reads them (its documentation, "Env_file syntax"). Messages never show a line's content."""

import re
from collections.abc import Mapping
from pathlib import Path

from ops.compose.document import read_text, wrong
from ops.compose.interpolation import InterpolationError, Variables

_KEY = re.compile(r"(?:export[ \t]+)?(?P<key>[\w.\-\[\]]+)[ \t]*(?P<sign>[=:]|(?=\r?\n|$))[ \t]*", re.ASCII)
_QUOTED = {
    "'": re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL),
    '"': re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL),
}
_ESCAPE = re.compile(r"\\([abfnrtv$\"\\])")
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "$": "$$"}


def read_env_file(path: Path, given: Mapping[str, str], *, raw: bool = False) -> dict[str, str]:
    """Return the variables of a .env file; `given` are those of the shell, which win in `${NAME}`.

    `raw` is compose's `format: raw`: values as they stand. OperationError (exit code 2) names file and line.
    """
    text = read_text(path).replace("\r\n", "\n")
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        line = text.count("\n", 0, at) + 1
        end = text.find("\n", at) % (len(text) + 1)
        content = text[at:end].strip()
        if not content or content.startswith("#"):
            at = end + 1
            continue
        at += len(text[at:end]) - len(text[at:end].lstrip())
        at = _entry(text, at, _Entry(path, line, given, raw), found)
    return found


class _Entry:
    """Where an entry stands, and what its value may ask for."""

    def __init__(self, path: Path, line: int, given: Mapping[str, str], raw: bool) -> None:
        self.where = f"{path.name}:{line}"
        self.given = given
        self.raw = raw

    def expanded(self, value: str, found: Mapping[str, str]) -> str:
        """Return a value with its variables: the shell's first, then those above it in the file, else nothing."""
        try:
            return Variables({**found, **self.given}).expand(value)
        except InterpolationError as error:
            raise wrong(self.where, str(error), "correct that line, or put the value in single quotes") from error


def _entry(text: str, at: int, entry: _Entry, found: dict[str, str]) -> int:
    """Read one entry into `found` and return where the next line begins."""
    head = _KEY.match(text, at)
    if not head:
        raise wrong(entry.where, "should be NAME=value", "correct that line, or begin it with #")
    key, at = head["key"], head.end()
    end = text.find("\n", at) % (len(text) + 1)
    if not head["sign"]:  # a name alone: the shell's value, if it has one
        if key in entry.given:
            found[key] = entry.given[key]
        return end + 1
    if entry.raw:
        found[key] = text[at:end]
        return end + 1
    quote = text[at : at + 1]
    if quote not in _QUOTED:
        found[key] = entry.expanded(text[at:end].split(" #", maxsplit=1)[0].rstrip(), found)
        return end + 1
    quoted = _QUOTED[quote].match(text, at)
    if not quoted:
        raise wrong(entry.where, f"the value of {key} has no closing {quote}", "add it at the value's end")
    inside = quoted[1].replace(f"\\{quote}", quote)
    if quote == '"':
        inside = entry.expanded(_ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1], escape[1]), quoted[1]), found)
    found[key] = inside
    end = text.find("\n", quoted.end()) % (len(text) + 1)
    if text[quoted.end() : end].strip() and not text[quoted.end() : end].lstrip().startswith("#"):
        raise wrong(entry.where, f"the value of {key} goes on after its closing {quote}", "put all of it in quotes")
    return end + 1
