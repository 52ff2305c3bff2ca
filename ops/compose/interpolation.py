"""`${NAME}` in a compose file and in its .env files (compose specification, "Interpolation")."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

_TOKEN = re.compile(r"\$(?:(?P<escaped>\$)|(?P<named>[A-Za-z_][A-Za-z0-9_]*)|(?P<brace>\{))")
_BRACED = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:(?P<sign>:?[-+?])(?P<word>.*))?", re.DOTALL)


class InterpolationError(ValueError):
    """A `${` that is no variable, or a `${NAME:?}` without value; the words hold names and never a value."""


@dataclass
class Variables:
    """The values to put in, and the names of those that were asked for: with a value, and without value or default."""

    values: Mapping[str, str]
    used: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)

    def expand(self, text: str) -> str:
        """Return a text with its variables' values; InterpolationError when one is written wrongly or required.

        A dollar sign that begins no name stays what it is.
        """
        made, at = [], 0
        while found := _TOKEN.search(text, at):
            made.append(text[at : found.start()])
            at = found.end()
            if found["escaped"]:
                made.append("$")
            elif found["named"]:
                made.append(self._plain(found["named"]))
            else:
                end = _closing(text, at)
                made.append(self._braced(text[at:end]))
                at = end + 1
        return "".join([*made, text[at:]])

    def _plain(self, name: str) -> str:
        self.used.add(name)
        if name not in self.values:
            self.unknown.add(name)
        return self.values.get(name, "")

    def _braced(self, inside: str) -> str:
        parts = _BRACED.fullmatch(inside)
        if not parts:
            raise InterpolationError("has a ${...} that compose does not know")
        name, sign, word = parts["name"], parts["sign"] or "", parts["word"] or ""
        if not sign:
            return self._plain(name)
        self.used.add(name)
        value = self.values.get(name)
        there = value is not None and (value != "" or ":" not in sign)
        by_sign: dict[str, Callable[[], str]] = {
            "-": lambda: value or "" if there else self.expand(word),
            "+": lambda: self.expand(word) if there else "",
            "?": lambda: value or "" if there else _required(name),
        }
        return by_sign[sign[-1]]()


def _required(name: str) -> str:
    raise InterpolationError(f"wants a value for {name}")


def _closing(text: str, start: int) -> int:
    """Return where the brace ends that was opened before `start`; what it holds may have braces of its own."""
    depth = 1
    for at in range(start, len(text)):
        if text[at] == "}":
            depth -= 1
        elif text.startswith("${", at):
            depth += 1
        if not depth:
            return at
    raise InterpolationError("has a ${ without its }")
