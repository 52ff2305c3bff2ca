"""Alerts that a stopped part, a fault of the simulator or a changed container brings about, each from end to end.

Who is told, and told of the end. `test_alerts_states.py` has those that a state of some minutes brings about.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from testing.project import Project
from tests.integration.alert_stage import DIRECT, FIRST, Case, Stage, fire
from tests.integration.pager import Pager, paged

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(3600)]

# In two groups: without Redis the gateway keeps to its own small share, users fall back, and that critical alert
# silences the warnings of its part. The names of containers are those of a part's first.
PARTS = (
    Case("ReplicaDown", {"part": "friday"}, stops=("friday",), after_seconds=120),
    Case("RedisDown", {}, stops=("redis",), after_seconds=120),
    Case("TargetMissing", {"job": "redis"}, stops=("redis-exporter",), after_seconds=180),
    # Its other channel's receiver is not there until the module's end.
    Case("NotificationsFail", {"integration": "slack"}, ends=False),
)
GATEWAY = (
    Case("ReplicaDown", {"part": "litellm"}, stops=("litellm",), after_seconds=120),
    Case(
        "ProviderDown", {"model": FIRST}, faults=({"kind": "status", "status": 503, "model": FIRST},), after_seconds=240
    ),
    Case("QuotaMinute", {}, after_seconds=180),
)
ERRORS = (
    Case("ErrorRateHigh", {"users": "gateway"}, faults=({"kind": "status", "status": 503},)),
    Case("ErrorRateHigh", {"users": "direct"}),
    # A stack that is some minutes old has as much in an hour as in six.
    Case("ErrorBudgetBurns", {"window": "1h"}, ends=False),
    Case("ErrorBudgetBurns", {"window": "6h"}, ends=False),
)
SLOW = (
    Case(
        "ResponsesSlow",
        {"path": "direct"},
        faults=({"kind": "latency", "model": DIRECT, "distribution": {"kind": "fixed", "ms": 11_000}},),
        after_seconds=30,
    ),
)
EDGE = (Case("EdgeDown", {}, stops=("edge",), after_seconds=30),)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    made = Project.create(Path(tmp_path_factory.mktemp("alerts")))
    # Few calls are enough, and the account's free calls are nearly used by them.
    made.configure({"quota": {"requestsPerMinute": 60, "requestsPerDay": 5000}, "gates": {"watchSamples": 10}})
    with made.deployed():
        yield made


@contextmanager
def paged_twice(project: Project) -> Iterator[Pager]:
    """Let a pager be told, and another channel whose receiver is not there."""
    nobody = "http://nobody.invalid/x"
    before = project.file.read_text()
    project.pulumi("config", "set", "--secret", "--path", "notify.slack.url", nobody, "-s", project.stack)
    try:
        with paged(project) as pager:
            yield pager
    finally:
        project.file.write_text(before)


@pytest.fixture(scope="module")
def pager(stack: Project) -> Iterator[Pager]:
    with paged_twice(stack) as made:
        yield made


def test_warnings_of_parts(stack: Project, pager: Pager) -> None:
    fire(stack, pager, Stage(PARTS))


def test_warnings_of_the_gateway(stack: Project, pager: Pager) -> None:
    fire(stack, pager, Stage(GATEWAY, 58))


def test_errors(stack: Project, pager: Pager) -> None:
    fire(stack, pager, Stage(ERRORS, 40))


def test_waits(stack: Project, pager: Pager) -> None:
    fire(stack, pager, Stage(SLOW, 40))


def test_drift(stack: Project, pager: Pager) -> None:
    wanted, began = {"alertname": "ConfigurationDrift"}, time.time()
    (redis,) = stack.containers("redis")
    redis.update(mem_limit="300m", memswap_limit="300m")
    stack.fridayctl("drift", stack.stack, code=1)
    (told,) = pager.wait(True, wanted, since=began, seconds=120)
    stack.fridayctl("drift", stack.stack, "--fix")
    stack.fridayctl("drift", stack.stack)
    (over,) = pager.wait(False, wanted, since=began, seconds=400)
    print(f"{wanted}: told after {told.at - began:.0f} s; over: after {over.at - told.at:.0f} s more")


def test_an_edge_that_is_gone(stack: Project, pager: Pager) -> None:
    fire(stack, pager, Stage(EDGE))
