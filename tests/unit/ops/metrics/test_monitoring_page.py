"""docs/MONITORING.md counts as the gates do: somebody who looks sees what a gate decides on."""

import re
from pathlib import Path

from friday.llm import LlmError, errors
from indicators.promql import counted
from ops.metrics.collect import gather
from ops.metrics.prometheus import Prometheus
from ops.rollout.gates.evidence import Calls
from ops.rollout.gates.look import Scope, Window
from tests.unit.ops.evidence import NAMES
from tests.unit.ops.fake_prometheus import FakePrometheus

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "MONITORING.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"^```promql\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
HOUR = 3600.0
KINDS = {kind.kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, LlmError)}
OUTCOMES = (KINDS - {LlmError.kind}) | {"ok", "cancelled", "internal"}


def plain(query: str) -> str:
    """Return a query without its layout, with an hour written in one way."""
    return re.sub(r"\s+", "", query).replace("3600000ms", "1h")


def asked(fake: FakePrometheus) -> dict[str, object]:
    windows = dict.fromkeys(NAMES, HOUR)
    found = gather(Prometheus("http://prometheus", fake), Scope(0.0, windows, True, Window(0.0, HOUR)))
    figures: dict[str, object] = found["figures"]
    return figures


def share(heading: str) -> tuple[str, str]:
    """Return the selectors of a rate's two halves."""
    query = re.findall(r"```promql\n(.*?)```", PAGE.partition(f"**{heading}**")[2], re.DOTALL)[0]
    above, below = query.split("\n/\n")
    selectors = [re.findall(r"\w+\{[^}]+\}", half)[0] for half in (above, below)]
    assert plain(above) == plain(f"({counted(selectors[0], '1h')} or vector(0))")
    assert plain(below) == plain(f"({counted(selectors[1], '1h')})")
    return selectors[0], selectors[1]


def left_out(selector: str) -> set[str]:
    return set(re.findall(r'outcome!~"([^"]+)"', selector)[0].split("|"))


def test_the_calls_by_outcome_are_the_queries_that_the_gate_asks() -> None:
    fake = FakePrometheus()
    asked(fake)
    by_outcome = {plain(query) for query, _ in fake.asked if query.startswith("sum by (outcome)")}
    # The calls that fell back are asked for as well: the page shows them as a rate only.
    both = {query for query in by_outcome if "litellm" in query or "direct" in query}
    assert len(both) == 2
    assert both <= set(map(plain, QUERIES))


def test_the_error_rate_counts_the_outcomes_that_the_gate_counts() -> None:
    rows = [({"outcome": outcome}, 1.0) for outcome in sorted(OUTCOMES)]
    found = asked(FakePrometheus({"friday_llm_requests_total by (outcome)": rows}))
    failed, total = share("Error rate")
    assert found["calls"] == Calls(total=len(OUTCOMES - left_out(total)), failed=len(OUTCOMES - left_out(failed)))
    assert left_out(failed) - left_out(total) == {"ok"}


def test_the_fallback_rate_counts_what_the_gate_counts() -> None:
    rows = [({"outcome": outcome}, 1.0) for outcome in sorted(OUTCOMES)]
    found = asked(FakePrometheus({"friday_llm_requests_total by (outcome)": rows}))
    fallen, total = share("Fallback rate")
    assert found["fallbacks"] == Calls(total=len(OUTCOMES - left_out(total)), failed=1)
    assert fallen.endswith('{path="fallback", outcome="ok"}')
