"""Whatever a history holds and whatever answers in Prometheus' place: a report is made, and nothing becomes 0."""

import json
from datetime import timedelta
from typing import Any

import httpx
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from components.settings.stack import StackSettings
from ops.metrics.collect import Sources
from ops.report.collect import measured as collected
from ops.report.grid import Grid, Row, Rows
from ops.report.known import Known, Measured
from ops.report.make import make
from ops.report.model import Level, Report
from ops.report.questions import EARLIER, NOW, STATES, STEPS, TOTALS
from ops.rollout.gates.evidence import Calls
from ops.rollout.history import Entry
from tests.unit.given import settings
from tests.unit.ops.evidence import NOON, sound
from tests.unit.ops.report.reported import known

STEP_COUNT = 6
SETTINGS: StackSettings = settings(rolloutPercentage=10)
_NUMBERS = st.one_of(st.just(0.0), st.floats(0, 1e15), st.integers(0, 1000).map(float))
_WORDS = st.sampled_from(["litellm", "direct", "fallback", "ok", "timeout", "cancelled", "gateway", "2xx", "5xx", ""])
_BOUNDS = st.sampled_from(["0.5", "1.0", "10.0", "+Inf", "NaN", "x", "-1"])


def rows(count: int, *labels: st.SearchStrategy[str]) -> st.SearchStrategy[Rows]:
    row: st.SearchStrategy[Row | None] = st.none() | st.dictionaries(st.tuples(*labels), _NUMBERS, max_size=4)
    return st.lists(row, min_size=count, max_size=count).map(lambda steps: Rows(tuple(steps), "for a reason"))


def batch(count: int, **arity: tuple[st.SearchStrategy[str], ...]) -> st.SearchStrategy[dict[str, Rows]]:
    return st.fixed_dictionaries({}, optional={name: rows(count, *labels) for name, labels in arity.items()})


_COUNTED: dict[str, tuple[st.SearchStrategy[str], ...]] = {
    "calls": (_WORDS, _WORDS),
    "users": (_WORDS,),
    "gateway": (_WORDS,),
    "gateway_seconds": (_BOUNDS,),
    "direct_seconds": (_BOUNDS,),
}
_STATES = ("breaker", "closed", "gateway_replicas", "friday_replicas", "seen_edge", "seen_friday")
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        STEPS: batch(STEP_COUNT, **_COUNTED),
        EARLIER: batch(1, **_COUNTED),
        STATES: batch(STEP_COUNT, firing=(_WORDS, _WORDS), **dict.fromkeys(_STATES, ())),
        TOTALS: batch(
            2,
            attempts=(_WORDS,),
            rests=(_WORDS, _WORDS),
            tokens=(_WORDS,),
            cache=(_WORDS,),
            spend=(_WORDS,),
            reasons=(_WORDS,),
        ),
        NOW: batch(1, quota_used=(), closed=(), replicas=(_WORDS,), breaker=()),
    },
)

_TIMES = st.integers(-60 * 24 * 40, 60).map(lambda minutes: NOON + timedelta(minutes=minutes))
ENTRIES = st.lists(
    st.builds(
        Entry,
        kind=st.sampled_from(["update", "destroy", "refresh", "import"]),
        result=st.sampled_from(["succeeded", "failed", "in-progress", "not-started"]),
        message=st.sampled_from(["up: 10 %", "promote: 0 -> 10 %", "abort: x", "rollback: y", "pause: z", ""])
        | st.text(),
        started=_TIMES,
        ended=st.none() | _TIMES,
        config=st.fixed_dictionaries(
            {}, optional={"friday-litellm:rolloutPercentage": st.sampled_from(["0", "10", "100", "x", "1e400"])}
        ),
        changes=st.integers(0, 3),
    ),
    max_size=8,
)
EVIDENCE = st.fixed_dictionaries(
    {},
    optional={
        "calls": st.none() | st.integers(0, 10**6).map(lambda total: Calls(total=total, failed=total // 3)),
        "baseline": st.none() | st.integers(0, 10**6).map(lambda total: Calls(total=total, failed=total // 2)),
        "latency": st.none(),
        "direct_latency": st.none(),
        "key_usage": st.none() | st.floats(0, 10),
        "requests_left": st.none() | st.integers(0, 1000),
        "silent": st.just({"prometheus": "it is away"}),
    },
).map(lambda changes: sound(**changes))


def require_sound(made: Report) -> None:
    """Raise unless a report can be printed and read again, and what is unknown has no figure."""
    read = Report.model_validate_json(made.model_dump_json())
    assert {name: each for name, each in read if each != getattr(made, name)} == {}
    for check in (*made.daily, *made.weekly):
        if check.figures and check.level is Level.UNKNOWN:
            # A trend is unknown too when there is nothing before it.
            assert any(each.value is None or each.before is None for each in check.figures)
    for each in (one for check in (*made.daily, *made.weekly) for one in check.figures):
        assert (each.value is None) == bool(each.why)
    assert made.verdict.command.startswith("./fridayctl")


@effort(max_examples=200, deadline=None)
@given(ANSWERS, ENTRIES, EVIDENCE, st.booleans())
def test_a_report_is_made_of_anything(found: Any, entries: list[Entry], evidence: Any, has_friday: bool) -> None:
    grid = Grid(NOON.timestamp(), 3600.0, STEP_COUNT)
    told: Known = known(entries=entries, evidence=evidence)
    require_sound(make(told, Measured(grid, found, has_friday)))


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "result", "metric", "values", "alerts", "resultType", "value"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)
_TRAILS = st.lists(
    st.fixed_dictionaries(
        {
            "metric": st.dictionaries(
                st.sampled_from(["asked", "path", "outcome", "le", "model"]),
                st.sampled_from(["calls", "seen_friday", "gateway_seconds", "spend", "litellm", "ok", "+Inf", "x"]),
            ),
            "values": st.lists(
                st.tuples(
                    st.integers(0, 360).map(lambda step: NOON.timestamp() - step * 300.0),
                    st.sampled_from(["0", "1", "7", "-1", "NaN", "+Inf", "1e300", "x"]),
                ),
                max_size=4,
            ),
        }
    ),
    max_size=5,
).map(lambda result: {"data": {"resultType": "matrix", "result": result}})


@effort(max_examples=200, deadline=None)
@given(st.one_of(_TRAILS, _JSON), st.sampled_from([200, 200, 200, 204, 302, 400, 503]), st.binary(max_size=20))
def test_whatever_answers_in_prometheus_place(body: Any, status: int, raw: bytes) -> None:
    content = json.dumps(body).encode() if body is not None else raw
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=content))
    found = collected(Sources("http://p", "http://o", (), transport), SETTINGS, [], 86_400.0, NOON)
    require_sound(make(known(), found))
