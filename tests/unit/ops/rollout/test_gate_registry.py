"""A gate is a module and its line in the registry: nothing else keeps a list of the gates."""

import re
from pathlib import Path

import pytest

from cli.promote import EPILOG
from cli.tables import show_gates
from components.settings.rollout import GateSettings, GatesSettings
from indicators.selectors import GATEWAY
from ops.metrics import collect
from ops.metrics.collect import gather
from ops.metrics.prometheus import Prometheus
from ops.rollout.gates import registry
from ops.rollout.gates.gate import Case, Gate, Outcome, Verdict
from ops.rollout.gates.look import Figure, Scope
from ops.rollout.gates.registry import judge
from tests.unit.given import settings
from tests.unit.ops.evidence import NAMES, durations, gate_input, sound
from tests.unit.ops.fake_prometheus import FakePrometheus, vector

PLAN = (Path(__file__).resolve().parents[4] / "docs" / "MIGRATION_PLAN.md").read_text(encoding="utf-8")
TOKENS = Figure("tokens", lambda look: look.total("gateway_tokens_total", GATEWAY))


def judge_tokens(case: Case) -> Verdict:
    case = case.about("tokens that were used", "at most 1,000")
    used = TOKENS.of(case.evidence)
    if used is None:
        return case.unanswered("litellm")
    return case.passes(f"{used:,.0f}") if used <= 1000 else case.fails(f"{used:,.0f}", None, cause="c", fix="m")


@pytest.fixture(autouse=True)
def further_gate(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "further" in request.node.name:
        gate = Gate("tokens", judge_tokens, (TOKENS,), watched=True, needs_gateway_traffic=True)
        monkeypatch.setattr(registry, "GATES", (*registry.GATES, gate))


def test_a_further_gate_is_measured_over_its_window() -> None:
    windows = collect.windows(settings(), 3600)
    assert windows["tokens"] == 3600
    fake = FakePrometheus({"gateway_tokens_total": vector(7), "count(last_over_time": vector(1)})
    found = gather(Prometheus("http://p", fake), Scope(1e9, windows, True, None))
    assert found["figures"]["tokens"] == 7


def test_a_further_gate_is_judged_and_watched() -> None:
    spent = sound(tokens=1001.0)
    assert [each.gate for each in judge(spent, gate_input()).having(Outcome.FAIL)] == ["tokens"]
    assert [each.gate for each in judge(spent, gate_input(watching=True)).having(Outcome.FAIL)] == ["tokens"]
    assert "tokens" in [each.gate for each in judge(spent, gate_input(0, 10)).having(Outcome.SKIPPED)]


def test_a_further_gate_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    show_gates(judge(sound(tokens=1001.0), gate_input()))
    assert "tokens: tokens that were used: 1,001; wanted: at most 1,000" in capsys.readouterr().out


def test_every_gate_with_settings_is_in_the_registry() -> None:
    own = {name for name, value in GatesSettings() if isinstance(value, GateSettings)}
    assert len(own) > 5
    assert own <= set(NAMES)


def test_the_names_of_gates_and_figures_are_told_apart() -> None:
    figures = [figure.name for gate in registry.GATES for figure in gate.figures]
    assert len(set(NAMES)) == len(NAMES)
    assert len(set(figures)) == len(figures)


def test_the_plans_table_has_every_gate_in_its_order() -> None:
    table = PLAN[PLAN.index("| gate | passes when") :]
    assert re.findall(r"^\| `(\w+)` \|", table[: table.index("\n\n")], re.MULTILINE) == list(NAMES)
    (watched,) = re.findall(r"watched after a step \((.*?)\)", PLAN)
    assert re.findall(r"`(\w+)`", watched) == [gate.name for gate in registry.GATES if gate.watched]


def test_the_help_names_the_gates_that_are_judged_at_0_percent() -> None:
    said = " ".join(EPILOG.split())
    said = said[said.index("At 0 percent") :]
    said = said[: said.index("are judged")]
    judged = [gate.name for gate in registry.GATES if not gate.needs_gateway_traffic]
    assert re.findall(r"\b(" + "|".join(NAMES) + r")\b(?!\s+yet)", said) == judged


def test_what_a_gate_says_ahead_of_the_first_step_is_shown_with_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    show_gates(judge(sound(direct_latency=durations(2.5)), gate_input(0, 10)))
    said = capsys.readouterr().out
    assert "likely: at 0 % nobody uses the gateway yet; the direct path misses p50 itself" in said
    assert "gates.latency.p50Seconds (1) in Pulumi.t.yaml" in said
    show_gates(judge(sound(), gate_input(0, 10)))
    assert "likely" not in capsys.readouterr().out
