"""The pages for when something is wrong, or has to be compared: what they quote is what the code says."""

import contextlib
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from friday.llm import LlmError, errors
from friday.llm.config import read_environment
from friday.llm.monitoring.metrics import LlmMetrics
from friday.service.app import create_app
from friday.service.request_middleware import RequestMiddleware
from friday.service.settings import ServiceSettings
from ops.rollout.gates.evidence import Calls
from ops.rollout.gates.proportions import difference
from tests.unit.friday.given import ENVIRONMENT

ROOT = Path(__file__).resolve().parents[2]
TROUBLE = (ROOT / "docs" / "TROUBLESHOOTING.md").read_text(encoding="utf-8")
EXPERIMENTS = (ROOT / "docs" / "EXPERIMENTS.md").read_text(encoding="utf-8")
FOREIGN = (
    "Cannot connect to the Docker daemon at …",
    "permission denied …",
    "CERTIFICATE_VERIFY_FAILED",
    "x509: certificate signed by unknown authority",
)
"""Words of Docker, Pulumi, pip and Go, which nothing here can look up."""
SOURCES = ("friday", "gateway", "cli", "ops", "toolchain", "images", "components", "fridayctl")


def source() -> str:
    """All code as one text, with the strings joined that stand on several lines."""
    files = [ROOT / "fridayctl", *(path for name in SOURCES for path in (ROOT / name).rglob("*.[pgj]*"))]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files if path.suffix in ("", ".py", ".go", ".j2"))
    return re.sub(r'"\s*\n\s*f?"', "", text)


def quoted() -> Iterator[str]:
    """The messages in the first column of each table, and in the bold beginnings of paragraphs."""
    cells = re.findall(r"^\| ([^|]+) \|", TROUBLE, re.MULTILINE)
    for text in [*cells, *re.findall(r"^\*\*(.+?)\*\*", TROUBLE, re.MULTILINE)]:
        yield from (said for said in re.findall(r"`([^`]+)`", text) if " " in said)


@pytest.mark.parametrize("message", [said for said in quoted() if said not in FOREIGN])
def test_every_message_is_one_that_the_code_has(message: str) -> None:
    code = source()
    pieces = [piece.strip(" .()") for piece in re.split(r"…|litellm|fallback", message)]
    assert [piece for piece in pieces if piece not in code] == []


def kinds() -> set[str]:
    found = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, LlmError)]
    return {kind.kind for kind in found} - {LlmError.kind}


def test_every_error_of_friday_has_a_row_with_its_status() -> None:
    rows = {kind: int(status) for status, kind in re.findall(r"^\| (\d{3}) \| `(\w+)` \|", TROUBLE, re.MULTILINE)}
    assert {kind: rows[kind] for kind in kinds()} == {
        kind.kind: kind.http_status
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, LlmError) and kind is not LlmError
    }
    of_the_service = {"invalid_json", "not_found", "method_not_allowed", "too_large", "overloaded", "internal"}
    assert set(rows) - kinds() == {*of_the_service, "unknown_token", "expired_token"}


def test_every_reason_of_a_fallback_has_a_row() -> None:
    table = TROUBLE.partition("## Fallbacks")[2].partition("\n**")[0]
    never_there = {"configuration", "invalid_request", "paid_model_refused", "stream_broken"}
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == kinds() - never_there | {"breaker_open"}


@pytest.mark.parametrize("page", [TROUBLE, EXPERIMENTS], ids=["troubleshooting", "experiments"])
def test_every_metric_is_one_that_friday_has(page: str) -> None:
    registry = CollectorRegistry()
    metrics = LlmMetrics(registry)
    RequestMiddleware(create_app(read_environment(ServiceSettings, ENVIRONMENT)), registry=registry, paths=[])
    known = {metric.name + ("_total" if metric.type == "counter" else "") for metric in registry.collect()}
    named = set(re.findall(r"\bfriday_(?:llm|http)_\w+", page))
    assert named
    assert {name.removesuffix("_bucket") for name in named} <= known
    labels = {*metrics.requests._labelnames, *metrics.fallbacks._labelnames, *metrics.tokens._labelnames, "le"}
    used = {name for names in re.findall(r"by \(([\w, ]+)\)", page) for name in names.split(", ")}
    assert used | set(re.findall(r"[{ ](\w+)(?:=|=~|!~)\"", page)) <= labels | {"status"}


def test_the_script_that_counts_users_does(monkeypatch: pytest.MonkeyPatch) -> None:
    line = 'friday-1 | 2026 {{"event": "llm_call", "path": "{}", "user": "{}", "outcome": "{}"}}\n'
    calls = [
        ("litellm", "a", "ok"),
        ("fallback", "a", "unavailable"),
        ("fallback", "a", "ok"),
        ("litellm", "b", "ok"),
        ("litellm", "c", "cancelled"),
        ("direct", "d", "invalid_request"),
        ("direct", "e", "ok"),
    ]
    monkeypatch.setattr(
        sys, "stdin", io.StringIO("friday-1 | started\n" + "".join(line.format(*call) for call in calls))
    )
    script = re.search(r"```python\n(.*?)```", EXPERIMENTS, re.DOTALL)
    assert script
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(script[1], {})  # noqa: S102 (the page's own lines)
    assert out.getvalue() == "direct: 1 users, 0 met an error\nlitellm: 2 users, 1 met an error\n"


def test_the_example_of_a_difference_is_right() -> None:
    low, high = difference(Calls(total=700, failed=9), Calls(total=800, failed=6), 0.95)
    assert f"({low:.3f}, {high:.3f})" in EXPERIMENTS
    assert "Calls(total=700, failed=9), Calls(total=800, failed=6), 0.95" in EXPERIMENTS
