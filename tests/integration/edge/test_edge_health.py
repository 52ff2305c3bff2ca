"""Whom the edge holds for dead, who is merely slow, and who says that it leaves."""

import pytest

from tests.integration.edge.stage import Stage, echoed, post

pytestmark = pytest.mark.engine

PART = "litellm"


def failures(stage: Stage) -> dict[str, int]:
    """Return how many checks each slot's replicas have failed, those before they listened too."""
    return {row["svname"]: int(row["chkfail"] or 0) for row in stage.servers(PART)}


def state(stage: Stage, slot: str) -> str:
    return next(row["status"] for row in stage.servers(PART) if row["svname"] == slot)


def statuses(stage: Stage) -> list[str]:
    return [row["status"] for row in stage.servers(PART)]


def test_one_check_without_an_answer_costs_no_replica_its_place_and_three_do(stage: Stage) -> None:
    stuck, other = stage.replicas(PART)
    before = failures(stage)
    stuck.pause()
    try:
        stage.until(lambda: failures(stage) != before)
        (slot,) = (name for name, count in failures(stage).items() if count == before[name] + 1)
        assert state(stage, slot).startswith("UP")
        stage.until(lambda: state(stage, slot).startswith("DOWN"), seconds=30)
        answers = [echoed(stage.raw("internal", post("/chat/completions")))["replica"] for _ in range(6)]
        assert set(answers) == {other.name}
    finally:
        stuck.unpause()
    stage.until_up(PART, 2)


def test_a_replica_that_says_it_leaves_gets_nothing_new_though_it_listens(stage: Stage) -> None:
    leaving = stage.start_replica(PART, DRAIN_SECONDS="20")
    stage.until_up(PART, 3)
    leaving.kill("SIGTERM")
    stage.until(lambda: statuses(stage).count("NOLB") == 1)
    answers = [echoed(stage.raw("internal", post("/chat/completions")))["replica"] for _ in range(9)]
    assert set(answers) == {str(container.name) for container in stage.replicas(PART)} - {leaving.name}
    leaving.reload()
    assert leaving.status == "running"


def test_who_leaves_serves_until_somebody_else_is_up(stage: Stage) -> None:
    leaving = stage.start_replica(PART, DRAIN_SECONDS="60")
    stage.until_up(PART, 3)
    others = [container for container in stage.replicas(PART) if container.name != leaving.name]
    for container in others:
        container.pause()
    try:
        stage.until(lambda: statuses(stage).count("DOWN") == 2)
        leaving.kill("SIGTERM")
        stage.until(lambda: statuses(stage).count("NOLB") == 1)
        answers = [echoed(stage.raw("internal", post("/chat/completions")))["replica"] for _ in range(6)]
        assert set(answers) == {leaving.name}
    finally:
        for container in others:
            container.unpause()
    stage.until_up(PART, 2)
    answers = [echoed(stage.raw("internal", post("/chat/completions")))["replica"] for _ in range(6)]
    assert set(answers) == {container.name for container in others}
