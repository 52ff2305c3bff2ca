"""The settings of a stack file, read and written without Pulumi: its command line takes a third of a second each time.

Only where nothing can be understood in two ways: PyYAML reads YAML 1.1, Pulumi reads 1.2. The rest is Pulumi's.
"""

import json
import re
from collections.abc import Mapping

import yaml

from ops.stacks.config_values import as_text, has_secret

_TAG = "tag:yaml.org,2002:"
_STR = f"{_TAG}str"
# What both versions take for the same. A text begins with a letter and is none of the words that one of them takes for
# more; or it is an address.
_PLAIN = {
    _STR: re.compile(
        r"(?!(y|n|yes|no|on|off|null|true|false)$)[A-Za-z/][ -~]*|([0-9]{1,3}\.){3}[0-9]{1,3}", re.IGNORECASE
    ),
    f"{_TAG}bool": re.compile("true|false"),
    f"{_TAG}int": re.compile(r"-?(0|[1-9][0-9]{0,14})"),
    f"{_TAG}float": re.compile(r"-?(0|[1-9][0-9]{0,8})\.[0-9]{0,5}[1-9]"),
}


class _UnclearError(Exception):
    """Pulumi may read it otherwise."""


def read(text: str) -> dict[str, str] | None:
    """Return a stack file's settings as `pulumi config --json` shows them, without secrets; None: Pulumi has to say."""
    try:
        values = {key: _value(node) for key, node in _settings(text).items()}
    except (_UnclearError, yaml.YAMLError):
        return None
    return {key: as_text(value) for key, value in values.items() if not has_secret(value)}


def edited(text: str, changed: Mapping[str, str]) -> str | None:
    """Return a stack file with other values of settings that it has, and nothing else changed; None: Pulumi has to."""
    before = read(text)
    if before is None:
        return None
    nodes = _settings(text)
    if any(
        value[:1] in ("", "{", "[") or not isinstance(nodes.get(key), yaml.ScalarNode) for key, value in changed.items()
    ):
        return None
    after = text
    for key in sorted(changed, key=lambda key: -nodes[key].start_mark.index):
        start, end = nodes[key].start_mark.index, nodes[key].end_mark.index
        # A JSON string is a YAML one, in both versions.
        after = f"{after[:start]}{json.dumps(changed[key], ensure_ascii=False)}{after[end:]}"
    return after if read(after) == {**before, **changed} else None


def _settings(text: str) -> dict[str, yaml.Node]:
    """Return the node of each setting; _UnclearError when the file has more than settings and Pulumi's own keys."""
    document = _map(yaml.compose(text, Loader=yaml.SafeLoader))
    if (
        not document.keys() <= {"config", "encryptionsalt", "secretsprovider", "encryptedkey"}
        or "config" not in document
    ):
        raise _UnclearError
    settings = _map(document["config"])
    if not all(":" in key for key in settings):
        raise _UnclearError  # Pulumi puts the project's name before it
    return settings


def _map(node: yaml.Node | None) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise _UnclearError
    found = {_key(key): value for key, value in node.value}
    if len(found) != len(node.value):
        raise _UnclearError
    return found


def _key(node: yaml.Node) -> str:
    key = _value(node)
    if not isinstance(key, str):
        raise _UnclearError
    return key


def _value(node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return {key: _value(item) for key, item in _map(node).items()}
    if isinstance(node, yaml.SequenceNode):
        return [_value(item) for item in node.value]
    if not isinstance(node, yaml.ScalarNode):
        raise _UnclearError
    text = str(node.value)
    if node.style and node.tag == _STR:
        return text
    if node.style or not (node.tag in _PLAIN and _PLAIN[node.tag].fullmatch(text)):
        raise _UnclearError
    return text if node.tag == _STR else json.loads(text)
