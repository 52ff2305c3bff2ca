"""A compose health check as the stack asks it: path and headers of an HTTP request, and how long a start may take."""

import re
import shlex
from dataclasses import dataclass, field
from typing import Any

_URL = re.compile(
    r"https?://(?P<host>\[[^\]]+\]|[^/:\s'\"`)?#]+)(?::(?:\d+|\$\{[^}]*\}|\$\w+))?(?P<rest>[^\s'\"`)|;&>]*)"
)
_NODE_PATH = re.compile(r"""\bpath\s*:\s*['"`](?P<path>/[^'"`]*)['"`]""")
_NODE_HEADERS = re.compile(r"\bheaders\s*:\s*\{(?P<inside>[^}]*)\}", re.IGNORECASE)
_PAIR = re.compile(r"""['"]?(?P<name>[A-Za-z][\w-]*)['"]?\s*:\s*['"`](?P<value>[^'"`]*)['"`]""")
_HERE = {"localhost", "127.0.0.1", "0.0.0.0", "[::1]", "$HOSTNAME"}  # noqa: S104 - as people write it
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h)")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class HttpCheck:
    """What a health check asks: its path and the headers that it sends."""

    path: str
    headers: dict[str, str] = field(default_factory=dict)


def http_check(test: Any, names: set[str]) -> HttpCheck | str:
    """Return what a check asks by HTTP, or why that cannot be said; `names` are what the service is called by."""
    words = _words(test)
    if not words or words[0].upper() == "NONE":
        return "it is switched off"
    headers, others = _headers(words)
    text = " ".join(others)
    if inside := _NODE_HEADERS.search(text):
        headers |= {pair["name"]: pair["value"] for pair in _PAIR.finditer(inside["inside"])}
        text = text.replace(inside[0], "")
    found = _URL.search(text)
    options = _NODE_PATH.search(text)
    if not found and not options:
        return "it does not ask by HTTP"
    if found and (why := _elsewhere(found, names)):
        return why
    path = (found["rest"] if found else options["path"] if options else "").partition("#")[0] or "/"
    if "?" in path:
        return "its path has a query"
    if not path.startswith("/") or "$" in path:
        return "its address is put together as it runs"
    return HttpCheck(path, headers)


def _elsewhere(url: re.Match[str], names: set[str]) -> str:
    if url[0].startswith("https:"):
        return "it asks by HTTPS; the edge and the probe ask by HTTP"
    return "" if url["host"] in _HERE | names else "it asks another host"


def _words(test: Any) -> list[str]:
    if isinstance(test, list):
        words = [str(word) for word in test]
        if words[:1] == ["CMD-SHELL"]:
            return _split(" ".join(words[1:]))
        return words[1:] if words[:1] == ["CMD"] else words
    return _split(str(test)) if test else []


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a quote that the shell would not take either
        return text.split()


def _headers(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """Return the headers that curl (-H, --header) or wget (--header=) is given, and the other words."""
    found: dict[str, str] = {}
    others: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in ("-H", "--header"):
            header = next(rest, "")
        elif word.startswith("--header=") or (word.startswith("-H") and ":" in word):
            header = word.removeprefix("--header=").removeprefix("-H")
        else:
            others.append(word)
            continue
        name, _, value = header.partition(":")
        found[name.strip()] = value.strip()
    return found, others


def seconds(value: Any) -> float | None:
    """Return a duration of compose (`1m30s`, `40s`) in seconds; None when it is none."""
    text = str(value)
    if not text or _DURATION.sub("", text):
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(text))


def start_seconds(check: dict[str, Any]) -> int | None:
    """Return after how long compose calls a container unhealthy that has never answered; None without start_period.

    That is the start period, and then `retries` checks, each an interval and up to its timeout after the one before
    (Docker's reference, HEALTHCHECK: defaults of 30 s, 30 s and 3).
    """
    if check.get("start_period") is None:
        return None
    period = seconds(check["start_period"])
    interval, retries = seconds(check.get("interval", "30s")), str(check.get("retries", 3))
    if period is None or interval is None or not retries.isdigit():
        return None
    return round(period + int(retries) * interval)
