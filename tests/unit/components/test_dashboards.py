"""The dashboards: valid for Grafana, complete, with the stack's own thresholds, without panels that must be empty."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard as Published
from pydantic import ValidationError

from components.dashboards.build import dashboards
from components.dashboards.model import Dashboard, Panel, Row
from components.dashboards.shown import PAGES
from indicators import INDICATORS
from tests.unit.given import settings

OWN = {"image": "registry.example/friday@sha256:" + "0" * 64}
STACKS: dict[str, dict[str, Any]] = {
    "reference": {},
    "cache": {"router": {"cacheTtlSeconds": 60}},
    "one gateway": {"litellm": {"replicas": 1}},
    "own image": {"friday": OWN},
    "own image with chats": {"friday": {**OWN, "chatPaths": ["/api/chat"]}},
    "own image with metrics": {"friday": {**OWN, "metricsPath": "/metrics"}},
}
register_default_plugins()
each_stack = pytest.mark.parametrize("changes", STACKS.values(), ids=STACKS)


def made(**changes: Any) -> dict[str, Dashboard]:
    return dashboards("t", settings(**changes))


def panels(found: dict[str, Dashboard]) -> Iterator[Panel]:
    yield from (panel for board in found.values() for panel in board.panels if isinstance(panel, Panel))


def queries(found: dict[str, Dashboard]) -> str:
    return "\n".join(target.expr for panel in panels(found) for target in panel.targets)


def lacking(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Yield where a document has something that another one has not, or has otherwise."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            yield from lacking(value, theirs.get(key, "nothing"), f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (value, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from lacking(value, other, f"{path}[{number}]")
    elif ours != theirs and not (ours is None and theirs == "nothing"):
        yield f"{path}: {ours!r} became {theirs!r}"


@each_stack
def test_grafanas_published_types_know_everything_that_is_in_them(changes: dict[str, Any]) -> None:
    for board in made(**changes).values():
        document = json.loads(board.text())
        read = Published.from_json(document)
        assert list(lacking(document, json.loads(json.dumps(read, cls=JSONEncoder)))) == []


def test_what_the_published_types_do_not_know_would_be_told() -> None:
    document = json.loads(made()["rollout"].text())
    document["panels"][1]["fieldConfig"]["defaults"]["colour"] = "red"
    read = Published.from_json(document)
    (told,) = lacking(document, json.loads(json.dumps(read, cls=JSONEncoder)))
    assert told == ".panels[1].fieldConfig.defaults.colour: 'red' became 'nothing'"


def test_every_indicator_is_shown_in_some_stack_and_only_indicators_are() -> None:
    shown = {
        name for page in PAGES for section in page.sections for panel in section.panels for name in panel.indicators
    }
    assert shown == set(INDICATORS)
    units = [
        {INDICATORS[name].unit for name in panel.indicators}
        for page in PAGES
        for section in page.sections
        for panel in section.panels
    ]
    assert max(map(len, units)) == 1


@each_stack
def test_a_stack_has_no_panel_of_what_it_does_not_have(changes: dict[str, Any]) -> None:
    found = queries(made(**changes))
    chosen = settings(**changes)
    has_friday = chosen.friday.image is None or chosen.friday.metrics_path is not None
    assert ("friday_llm_latency_seconds_bucket{" in found) is has_friday
    assert ('proxy="chats"' in found) is bool(chosen.friday.chat_paths)
    assert ("redis_up" in found) is (chosen.litellm.replicas > 1)
    assert ("gateway_cache_requests_total" in found) is (chosen.router.cache_ttl_seconds > 0)
    assert bool(made(**changes)["rollout"].annotations.list) is has_friday


@each_stack
def test_panels_lie_side_by_side_and_none_over_another(changes: dict[str, Any]) -> None:
    for board in made(**changes).values():
        taken: set[tuple[int, int]] = set()
        for panel in board.panels:
            place = panel.grid_pos
            cells = {(x, y) for x in range(place.x, place.x + place.w) for y in range(place.y, place.y + place.h)}
            assert place.x + place.w <= 24
            assert not cells & taken
            taken |= cells
        assert len({panel.id for panel in board.panels}) == len(board.panels)
        assert isinstance(board.panels[0], Row)


def test_thresholds_are_those_of_the_gates() -> None:
    changed = made(
        gates={"errors": {"maximumPercent": 7}, "latency": {"p95Seconds": 9}, "gateway": {"minimumUpPercent": 95}}
    )
    limits = {panel.title: panel.field_config.defaults.thresholds.steps for panel in panels(changed)}
    assert [(step.value, step.color) for step in limits["Errors of LiteLLM's users"]] == [
        (None, "green"),
        (0.07, "red"),
    ]
    assert [step.value for step in limits["95 of 100 wait less"]] == [None, 9]
    assert [(step.value, step.color) for step in limits["Time with a gateway"]] == [(None, "red"), (0.95, "green")]
    assert [step.value for step in limits["Money spent"]] == [None, 1e-9]


def test_panels_say_what_they_show_and_what_to_do() -> None:
    for panel in panels(made()):
        assert "What to do:" in panel.description
        assert "STACK" not in panel.description
        assert "Indicators: " in panel.description


def test_windows_are_grafanas_own_and_counts_are_in_one_point_each() -> None:
    for panel in panels(made()):
        for target in panel.targets:
            used = set(re.findall(r"\$__\w+", target.expr))
            assert used <= ({"$__range"} if panel.type == "stat" else {"$__interval", "$__rate_interval"})
            assert target.instant is (panel.type == "stat")
    bars = {p.title: p.field_config.defaults.custom["drawStyle"] for p in panels(made()) if p.type == "timeseries"}
    assert (bars["Calls by path"], bars["Money spent"], bars["Error rates"]) == ("bars", "bars", "line")
    assert (bars["Busiest minute, and the account's limit"], bars["Median"]) == ("line", "line")


def test_uids_fit_however_long_a_stacks_name_is() -> None:
    long = [dashboards(name * 15, settings())["rollout"].uid for name in ("ab", "ac", "ä_")]
    assert len(set(long)) == 3
    assert all(len(uid) <= 40 for uid in long)
    with pytest.raises(ValidationError):
        Dashboard.model_validate({**made()["rollout"].model_dump(), "uid": "x" * 41})
