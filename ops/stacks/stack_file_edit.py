"""Changes the text of a stack file and keeps its comments: where each value stands is known from the YAML itself."""

import difflib
import json
from collections.abc import Mapping, Sequence

import yaml

from components.settings.source import NAMESPACE

Item = Mapping[str, object]


class StackFileText:
    """The text of a stack file, and the changes to it that were asked for.

    The file has to be one that `from_stack_file` accepts. Nothing is written.
    """

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._text = text if text.endswith("\n") or not text else text + "\n"
        self._edits: list[tuple[int, int, str]] = []
        self._end: list[str] = []
        self._config = _value(yaml.compose(text, Loader=yaml.SafeLoader), "config")

    def has(self, key: str) -> bool:
        """Return whether the file has a setting of this name, at the top level."""
        return _value(self._config, f"{NAMESPACE}:{key}") is not None

    def replace_item(self, key: str, number: int, item: Item) -> None:
        """Put a map in the place of one of a setting's list; comments inside the old one go."""
        items = _value(self._config, f"{NAMESPACE}:{key}")
        if not isinstance(items, yaml.SequenceNode):
            raise TypeError(f"{key} is no list")
        node = items.value[number]
        lines = [f"{name}: {_flow(value)}" for name, value in item.items()]
        text = f"{{{', '.join(lines)}}}" if node.flow_style else f"\n{' ' * node.start_mark.column}".join(lines)
        self._edits.append((node.start_mark.index, _end(node), text))

    def replace_word(self, key: str, old: str, new: str) -> None:
        """Put one word in the place of another in a setting's list of words; a setting that lacks it is left alone."""
        items = _value(self._config, f"{NAMESPACE}:{key}")
        for node in items.value if isinstance(items, yaml.SequenceNode) else ():
            if node.value == old:
                self._edits.append((node.start_mark.index, node.end_mark.index, new))

    def set_in(self, key: str, inner: str, value: str) -> None:
        """Set a value of a map, which is made where the file lacks it."""
        group = _value(self._config, f"{NAMESPACE}:{key}")
        known = _value(group, inner)
        if known is not None:
            self._edits.append((known.start_mark.index, known.end_mark.index, value))
        elif not isinstance(group, yaml.MappingNode):
            self._end += [f"{NAMESPACE}:{key}:", f"  {inner}: {value}"]
        else:
            between = ", " if group.flow_style else f"\n{' ' * group.value[0][0].start_mark.column}"
            at = group.value[0][0].start_mark.index if group.value else group.start_mark.index + 1
            self._edits.append((at, at, f"{inner}: {value}{between if group.value else ''}"))

    def add_list(self, key: str, items: Sequence[Item]) -> None:
        """Add a setting with a list of maps at the end."""
        self._end.append(f"{NAMESPACE}:{key}:")
        for item in items:
            first, *others = [f"{name}: {_flow(value)}" for name, value in item.items()]
            self._end += [f"  - {first}", *(f"    {line}" for line in others)]

    @property
    def changed(self) -> str:
        """Return the whole text with every change."""
        text = self._text
        if self._end and self._config is not None:
            indent = " " * (self._config.value[0][0].start_mark.column if self._config.value else 2)
            at = text.index("\n", _end(self._config)) + 1
            text = text[:at] + "".join(f"{indent}{line}\n" for line in self._end) + text[at:]
        for start, end, new in sorted(self._edits, reverse=True):
            text = text[:start] + new + text[end:]
        return text

    @property
    def diff(self) -> str:
        """Return the changes as `git apply` and `patch -p1` take them, "" when there are none."""
        name = f"Pulumi.{self._name}.yaml"
        old, new = (text.splitlines(keepends=True) for text in (self._text, self.changed))
        return "".join(difflib.unified_diff(old, new, f"a/{name}", f"b/{name}"))


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for name, value in pairs if name.value == key), None)


def _end(node: yaml.Node) -> int:
    """Return where a node's last value ends: a block's own end is behind the comments that follow it."""
    if not isinstance(node, yaml.CollectionNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(node, yaml.MappingNode) else last)


def _flow(value: object) -> str:
    """Return a value of one line; YAML reads JSON, and words that need no quotes look better without."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_flow(each) for each in value)}]"
    text = str(value)
    plain = isinstance(value, str) and not set(text) & set(" ,[]{}#&*!|>'\"%@`") and yaml.safe_load(text) == text
    return text if plain else json.dumps(value)
