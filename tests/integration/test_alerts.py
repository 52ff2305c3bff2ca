"""Alerts from end to end on the deployed stack: a part stops, somebody is told, and told again when it is back."""

import json
import time
from collections.abc import Iterator

import pytest

from testing.meanwhile import until
from testing.project import Project
from tests.integration.pager import Pager, paged

pytestmark = [pytest.mark.engine, pytest.mark.beside]

DOWN = [{"alertname": name, "severity": "critical"} for name in ("GatewayDown", "FridayDown")]


@pytest.fixture(scope="module")
def pager(project: Project) -> Iterator[Pager]:
    with paged(project) as made:
        yield made


def test_the_way_is_tried_by_a_command(project: Project, pager: Pager) -> None:
    # Only the stack itself finds a name on the stack's network, so the command's own message does not arrive.
    ran = project.fridayctl("notify", "test", project.stack, "--json", code=1)
    by = {each["alert"]: each for each in json.loads(ran.out)["channels"]}
    assert (by[True]["ok"], by[False]["ok"]) == (True, False)
    (told,) = [each for each in pager.told if each.is_of({"alertname": "NotifyTest"})]
    assert told.labels["stack"] == project.stack


def test_parts_that_stop_are_told_of_with_what_to_do_and_again_when_they_are_back(
    project: Project, pager: Pager
) -> None:
    stopped = [each for part in ("litellm", "friday") for each in project.containers(part)]
    began = time.time()
    try:
        for each in stopped:
            each.stop(timeout=1)
        told = pager.wait(True, *DOWN, since=began, seconds=180)
        for alert in told:
            assert alert.labels["stack"] == project.stack
            assert f" {project.stack}" in alert.annotations["command"]
            assert alert.annotations["runbook"] == f"docs/TROUBLESHOOTING.md#{alert.labels['alertname'].lower()}"
        text = project.fridayctl("status", project.stack, code=1).text
        assert "alert: GatewayDown (critical, litellm) since " in text
        assert "alert: FridayDown (critical, friday) since " in text
    finally:
        for each in stopped:
            each.start()
    over = pager.wait(False, *DOWN, since=began, seconds=300)
    assert {alert.labels["alertname"] for alert in over} == {"GatewayDown", "FridayDown"}


def test_a_receiver_that_answers_500_is_asked_again_and_status_says_so(project: Project, pager: Pager) -> None:
    test, began = {"alertname": "NotifyTest"}, time.time()
    pager.answers(500)
    try:
        ran = project.fridayctl("notify", "test", project.stack, code=1)
        assert "webhook (alert)   FAIL  it did not take the alert" in ran.out
        warning = "warning: alerts do not reach notify.webhook: "
        # Prometheus has to see it first.
        until(lambda: warning in project.fridayctl("status", project.stack).text, "the warning", 60, every=2)
    finally:
        pager.answers(200)
    until(lambda: len([each for each in pager.told if each.at > began and each.is_of(test)]) > 1, "another try", 60)
