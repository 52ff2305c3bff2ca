"""Every list of the stack's parts is the one in components/parts.py."""

import json
from dataclasses import replace

import pytest
from pydantic import ValidationError

from cli.main import main
from components import edge_ports, grafana, parts
from components.part import Job, Part
from images.tags import local_images
from ops.rollout import history
from tests.unit.declared import IMAGES, PARTS, by_part, declare
from tests.unit.given import LOCAL, SECRETS, settings
from tests.unit.ops.evidence import entry

PINNED = {"friday": LOCAL["friday"]}


def nested(part: Part, value: str) -> dict[str, object]:
    """Return the settings that name a part's image."""
    found: dict[str, object] = {"image": value}
    for key in reversed(part.setting.split(".")):
        found = {key: found}
    return found


def test_each_part_has_its_image_and_a_container() -> None:
    assert set(local_images()) == set(PARTS)
    assert set(by_part(declare(settings()))) == {*PARTS, edge_ports.NAME}
    assert set(parts.NAMES) - set(PARTS) == {grafana.NAME}  # of which only others make images


@pytest.mark.parametrize("part", parts.PARTS, ids=parts.NAMES)
def test_the_history_knows_the_image_that_a_part_is_given(part: Part) -> None:
    ((key, value),) = nested(part, "registry.example/x:1").items()
    found = entry(1, 10, config={f"friday-litellm:{key}": json.dumps(value)})
    assert found.images == {part.name: "registry.example/x:1"}


@pytest.mark.parametrize("part", parts.PARTS, ids=parts.NAMES)
def test_the_local_build_of_a_part_is_needed_unless_another_image_is_named(part: Part) -> None:
    assert parts.built_here(settings()) == list(PARTS)
    named = parts.built_here(settings(**nested(part, "registry.example/x:1")))
    assert named == [name for name in PARTS if name != part.name]


def test_no_image_is_built_for_a_part_that_a_stack_has_not() -> None:
    assert set(PARTS) - set(parts.built_here(settings(litellm={"replicas": 1}))) == {"redis", "redis-exporter"}


@pytest.mark.parametrize("part", [part for part in parts.PARTS if part.name != "simulator"], ids=lambda part: part.name)
def test_each_part_that_serves_real_users_has_its_image_pinned(part: Part) -> None:
    with pytest.raises(ValidationError, match=f"{part.setting}.image should end with its digest"):
        settings(upstream="openrouter", **SECRETS, **nested(part, "registry.example/x:1"))


def test_an_unknown_part_has_no_logs_and_the_known_ones_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["logs", "local", "jaeger"]) == 2
    said = capsys.readouterr().err
    assert f"'jaeger' is not one of {', '.join(parts.NAMES)}, edge-ports." in said


def test_a_further_part_takes_no_more_than_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    (redis,) = (part for part in parts.PARTS if part.name == "redis")
    further = Part(
        "jaeger",
        setting="redis",
        workload=lambda given: replace(redis.workload(given), part="jaeger"),
        metrics=lambda given: Job("jaeger", given.every_replica("jaeger"), 3000),
    )
    for module in (parts, history):
        monkeypatch.setattr(module, "PARTS", (*parts.PARTS, further))
    workloads = {each.part: each for each in parts.declare("t", settings(), IMAGES)}
    assert "jaeger" in workloads
    assert "job_name: jaeger" in workloads["prometheus"].files["prometheus.yml"].content
