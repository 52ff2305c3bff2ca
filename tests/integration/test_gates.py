"""From a cause to its gate: what a real Prometheus answers to the rollout's own queries stops exactly that gate.

The hours of traffic are prepared; test_promote.py lets real faults happen to a stack, with `--all` each of these.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from ops.metrics.collect import Sources, measure
from ops.rollout.gates.gate import GateInput, Outcome, Verdict
from ops.rollout.gates.registry import judge
from ops.rollout.history import Entry
from tests.integration.prepared_prometheus import HOUR, Series, Value, ends, prepared, rises
from tests.unit.given import settings
from tests.unit.ops.evidence import entry

pytestmark = [pytest.mark.engine, pytest.mark.beside]

CALLS = 3600.0
MODEL = "openrouter/z-ai/glm-4.5-air:free"
QUICK, SLOW = "0.5", "10"
"""Bounds in seconds of what every call took at most; the median's target lies between them."""
PATHS = ("litellm", "direct")
OUT: Series = {f'gateway_model_rest_seconds_total{{model="{MODEL}"}}': rises(1200)}
QUOTA = {"requestsPerMinute": 200, "requestsPerDay": 1_000_000}


def answered(path: str, *, outcome: str = "ok", calls: float = CALLS) -> Series:
    return {f'friday_llm_requests_total{{path="{path}",outcome="{outcome}"}}': rises(calls)}


def rated(path: str, **ratings: float) -> Series:
    return {f'friday_llm_feedback_total{{path="{path}",rating="{name}"}}': rises(n) for name, n in ratings.items()}


def took(metric: str, within: str, labels: str = "", bounds: tuple[str, ...] = (QUICK, "1", "3", "5", SLOW)) -> Series:
    """Return a histogram whose calls all ended below one of its bounds, and none below the bound before it."""
    below = {bound: CALLS if float(bound) >= float(within) else 0.0 for bound in bounds}
    return {
        f'{metric}_bucket{{{labels}le="{bound}"}}': rises(number) for bound, number in {**below, "+Inf": CALLS}.items()
    }


def latency(path: str, within: str) -> Series:
    return took("friday_llm_latency_seconds", within, f'path="{path}",')


def overhead(within: str) -> Series:
    return took("gateway_overhead_seconds", within, bounds=("0.005", "0.5"))


GATEWAY_CALLS = 'haproxy_frontend_http_responses_total{proxy="gateway_internal",code="2xx"}'
SOUND: Series = {
    "friday_llm_rollout_percentage": 50,
    "gateway_quota_requests_per_minute": 1000,
    'haproxy_backend_active_servers{proxy="litellm"}': 2,
    GATEWAY_CALLS: rises(CALLS),
    **answered("litellm"),
    **answered("direct"),
    **latency("litellm", QUICK),
    **latency("direct", QUICK),
    **overhead("0.005"),
    'gateway_chats_total{status="200"}': rises(CALLS),
    "gateway_spend_usd_total": 0,
    "friday_llm_cost_usd_total": 0,
    "gateway_upstream_attempts_total": rises(CALLS),
}


@dataclass(frozen=True)
class Cause:
    """What differs from a sound hour, which gates do not pass then, and a part of what the first of them says."""

    series: Series = field(default_factory=dict)
    gates: tuple[str, ...] = ()
    says: str = ""
    outcome: Outcome = Outcome.FAIL
    booked: float = 0.0
    """What OpenRouter has booked on the keys, in dollars."""


def for_a_while(otherwise: float | None, present: float) -> Value:
    """Return a gauge that shows something else for two tenths of the hour."""
    return lambda share: otherwise if 0.4 < share <= 0.6 else present


CAUSES = {
    "nothing": Cause(),
    "slow models": Cause(latency("litellm", SLOW), ("latency",), "the gateway's models are slow"),
    "slow models on both paths": Cause({**latency("litellm", SLOW), **latency("direct", SLOW)}),
    "models that are much slower than a slow direct path": Cause(
        {**latency("litellm", SLOW), **latency("direct", "3")}, ("latency",), "the gateway's models are slow"
    ),
    "a model that fails again and again, for which others answer": Cause(OUT),
    "a model that fails so that users notice": Cause(
        {**OUT, **answered("litellm", calls=CALLS * 0.97), **answered("fallback", calls=CALLS * 0.03)},
        ("providers",),
        MODEL,
    ),
    "a key that others use for a paid model": Cause({}, ("cost",), "booked what neither path did", booked=0.01),
    "an answer that cost something": Cause({"gateway_spend_usd_total": rises(0.001)}, ("cost",), "has a price"),
    "a direct answer that cost something": Cause(
        {"friday_llm_cost_usd_total": rises(0.001)}, ("cost",), "friday.directModel"
    ),
    "a gateway that is closed": Cause(
        {**answered("litellm", calls=CALLS / 2), **answered("fallback", calls=CALLS / 2)},
        ("fallbacks",),
        "is closed at the edge",
    ),
    "an app that does not obey the percentage": Cause({GATEWAY_CALLS: rises(0)}, ("effect",), "does the app obey"),
    "answers that break off": Cause(answered("litellm", outcome="stream_broken", calls=CALLS / 5), ("errors",)),
    "a few more errors than without the gateway": Cause(
        answered("litellm", outcome="timeout", calls=CALLS / 50), ("errors",), "that is no accident"
    ),
    "an outage of OpenRouter": Cause(
        {
            **answered("litellm", calls=CALLS / 2),
            **answered("fallback", outcome="unavailable", calls=CALLS / 2),
            **answered("direct", outcome="unavailable"),
        },
        ("errors",),
        "OpenRouter or Friday fails, not the gateway",
    ),
    "calls that their users ended": Cause(answered("litellm", outcome="cancelled")),
    "a host without processor time": Cause(overhead("0.5"), ("overhead",), "short of processor time"),
    "replicas that are gone for a while": Cause(
        {'haproxy_backend_active_servers{proxy="litellm"}': for_a_while(0, 2)}, ("gateway",), "replicas stopped"
    ),
    "more attempts than the account allows at the next step": Cause(
        {"gateway_upstream_attempts_total": rises(CALLS * 1.8)}, ("quota",), "the account can afford at most 6"
    ),
    "users who complain of LiteLLM's answers": Cause(
        {**rated("litellm", up=30, down=120), **rated("direct", up=30, down=5)},
        ("complaints",),
        "complain of more answers, and that is no accident",
    ),
    "users who complain as much of either": Cause(
        {**rated("litellm", up=30, down=6), **rated("direct", up=30, complaint=6)}
    ),
    "a Prometheus that saw only a part": Cause(
        {"gateway_quota_requests_per_minute": for_a_while(None, 1000)}, ("metrics",), outcome=Outcome.INCONCLUSIVE
    ),
}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    hours = [{**SOUND, **cause.series} for cause in CAUSES.values()]
    with prepared(tmp_path_factory.mktemp("prepared"), hours) as url:
        yield url


def entries(now: dt.datetime) -> list[Entry]:
    began = now - dt.timedelta(seconds=HOUR)
    return [entry(1, 50).model_copy(update={"started": began, "ended": began})]


def verdicts(prometheus: str, number: int, booked: float) -> list[Verdict]:
    """Measure a prepared hour as a step of its own, from 50 % on to 100 %, and judge it as `promote` does."""
    now = dt.datetime.fromtimestamp(ends(number), dt.UTC)
    usage: dict[str, Any] = {"data": {"usage": booked, "usage_daily": booked, "is_free_tier": False}}
    openrouter = httpx.MockTransport(lambda _: httpx.Response(200, json=usage))
    sources = Sources(prometheus, "http://openrouter/api/v1", ("key-of-the-gateway",), None, openrouter)
    chosen = settings(quota=QUOTA)
    evidence = measure(sources, chosen, entries(now), now - dt.timedelta(seconds=HOUR), now)
    assert evidence.silent == {}
    question = GateInput("t", 50, 100, chosen.gates, signed_off_by="anna")
    return list(judge(evidence, question).verdicts)


@pytest.mark.parametrize("name", CAUSES)
def test_a_cause_stops_exactly_its_gate(prometheus: str, name: str) -> None:
    cause = CAUSES[name]
    found = verdicts(prometheus, list(CAUSES).index(name), cause.booked)
    stopped = [each for each in found if each.outcome is not Outcome.PASS]
    assert [(each.gate, each.outcome) for each in stopped] == [(gate, cause.outcome) for gate in cause.gates]
    assert all(cause.says in each.cause for each in stopped), stopped


def test_every_gate_that_a_metric_can_stop_has_a_cause(prometheus: str) -> None:
    asked = {each.gate for each in verdicts(prometheus, 0, 0)}
    assert {gate for cause in CAUSES.values() for gate in cause.gates} == asked
