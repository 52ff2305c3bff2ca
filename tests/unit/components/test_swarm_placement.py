"""A node that has not been sent our images gets none of their tasks, and what runs elsewhere is not moved."""

import dataclasses

import pytest

from components.parts import declare as declare_parts
from components.swarm_placement import NO_STRANGERS, Strangers, is_limited
from tests.unit.declared import IMAGES, SERVICE, declare
from tests.unit.given import settings

SENT = frozenset({"friday-litellm/edge"})
EDGE = next(each for each in declare_parts("t", settings(engine="swarm"), IMAGES) if each.part == "edge")
ANYWHERE = "node.platform.os==linux"


def test_without_strangers_nothing_is_said_of_where_tasks_run() -> None:
    assert NO_STRANGERS.constraints(EDGE, SENT) == []


def test_a_stranger_gets_no_task_of_an_image_that_is_built_here() -> None:
    assert Strangers(frozenset({"y", "x"})).constraints(EDGE, SENT) == [ANYWHERE, "node.id!=x", "node.id!=y"]


def test_a_task_that_runs_on_a_stranger_stays_there() -> None:
    """Somebody has sent that node the image by other means, and users may be served by it."""
    found = Strangers(frozenset({"x", "y"}), {"edge": frozenset({"x"}), "friday": frozenset({"y"})})
    assert found.constraints(EDGE, SENT) == [ANYWHERE, "node.id!=y"]


def test_an_image_of_a_registry_may_run_on_a_stranger() -> None:
    other = dataclasses.replace(EDGE, image="registry.example/edge:1")
    assert Strangers(frozenset({"x"})).constraints(other, SENT) == []


def test_a_node_that_is_named_since_is_not_kept_off_any_more() -> None:
    """The plugin leaves constraints in place where it is given none at all."""
    constraints = Strangers(limited=frozenset({"edge"})).constraints(EDGE, SENT)
    assert constraints == [ANYWHERE]
    assert is_limited(constraints)
    assert not is_limited(["node.role==manager"])


@pytest.mark.parametrize("engine", ["swarm", "container"])
def test_a_stack_keeps_strangers_off_each_of_its_parts(engine: str) -> None:
    chosen = settings(engine=engine, friday={"image": "registry.example/friday:1"})
    found = declare(chosen, strangers=Strangers(frozenset({"x"}))).of(SERVICE)
    limited = {part for part, each in found.items() if "node.id!=x" in str(each["taskSpec"].get("placement"))}
    assert limited == (found.keys() - {"friday"} if engine == "swarm" else set())
    if engine == "swarm":  # beside its own, which says where its data are
        placement = found["prometheus"]["taskSpec"]["placement"]
        assert placement["constraints"] == ["node.role==manager", ANYWHERE, "node.id!=x"]
