"""Alerts that a state of some minutes brings about, each from end to end: who is told, and told of the end.

Those whose rules wait long, or whose windows are long, are under way together. What is critical of the gateway silences
its warnings, and money is critical for an hour: these two come last.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.metrics.prometheus import Prometheus
from testing.certificates import Authority
from testing.meanwhile import until
from testing.project import Project
from tests.integration import alert_doings as doings
from tests.integration.alert_stage import DIRECT, FIRST, Case, Stage, fire
from tests.integration.pager import Pager, paged

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(3600)]

_DAY = 86_400

# Five of a thousand: too few for the two that page, and enough for the two that wait for the day.
FIVE_FAIL = ({"kind": "status", "status": 500, "model": DIRECT, "count": 5},)
FEW = (
    Case("AccountRefused", {"reason": "data_policy"}, doing=doings.refused_account),
    Case("ErrorBudgetBurns", {"window": "1d"}, faults=FIVE_FAIL, doing=doings.a_thousand_chats, ends=False),
    Case("ErrorBudgetBurns", {"window": "3d"}, ends=False),
)
STATES = (
    Case("GatewayClosed", {}, doing=doings.closed_gateway, after_seconds=600),
    Case("PercentagesDiffer", {}, doing=doings.another_percentage, after_seconds=600),
    Case("RedisFull", {}, doing=doings.full_redis, after_seconds=600),
    Case("QuotaForecast", {}, after_seconds=600),
)
NEARLY_USED = (Case("QuotaDay", {}, doing=doings.further_chats, ends=False),)
# The last percentile is sure some minutes after the first, and told with the group's next message.
LATE = (
    *(Case("LatencyHigh", {"quantile": each}, after_seconds=900) for each in ("p50", "p95", "p99")),
    Case(
        "MetricsMissing",
        {"metric": "redis_memory_max_bytes"},
        faults=({"kind": "latency", "model": FIRST, "distribution": {"kind": "fixed", "ms": 2_000}},),
        doing=doings.renamed_metrics,
        after_seconds=300,
    ),
)
LEFT = (Case("FallbackRateHigh", {"counted_by": "friday"}, doing=doings.refused_account),)
COST = (Case("CostAboveZero", {}, doing=doings.answers_that_cost, ends=False),)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    made = Project.create(Path(tmp_path_factory.mktemp("alerts")))
    targets = {"p50Seconds": 1, "p95Seconds": 1.5, "p99Seconds": 1.8}
    # A share counts from so many calls on that a breaker opens before the share of fallbacks is an alert.
    made.configure(
        {
            "quota": {"requestsPerMinute": 6_000, "requestsPerDay": 1_150},
            "gates": {"watchSamples": 80, "latency": targets},
        }
    )
    with made.deployed():
        yield made


@pytest.fixture(scope="module")
def pager(stack: Project) -> Iterator[Pager]:
    with paged(stack) as made:
        yield made


def test_states_that_last(stack: Project, pager: Pager) -> None:
    left = _DAY - time.time() % _DAY
    if left < 1_800:
        # So late nothing can last for ten minutes that is about the rest of the day.
        time.sleep(left + 60)
    fire(stack, pager, Stage(FEW, 4), Stage(STATES), Stage(NEARLY_USED))


def test_users_who_wait_longer_than_the_target(stack: Project, pager: Pager) -> None:
    fire(stack, pager, Stage(LATE, 60), ends_within=1_800)


def test_a_certificate_that_ends_soon(stack: Project, pager: Pager, tmp_path: Path) -> None:
    authority, edge = Authority(tmp_path / "authority"), stack.settings["edge"]
    before, first = stack.file.read_text(), time.time()
    try:
        for severity, days in (("warning", 20), ("critical", 2)):
            certificate, key = authority.sign(severity, "-days", str(days))
            stack.configure({"edge": {**edge, "tls": {"certificateFile": str(certificate), "keyFile": str(key)}}})
            began = time.time()
            stack.fridayctl("up", stack.stack)
            wanted = {"alertname": "CertificateEnds", "severity": severity}
            (told,) = pager.wait(True, wanted, since=began, seconds=300)
            print(f"{wanted}: told {told.at - began:.0f} s after the update began")
    finally:
        stack.file.write_text(before)
        stack.fridayctl("up", stack.stack)
    renewed = time.time()
    (over,) = pager.wait(False, {"alertname": "CertificateEnds"}, since=first, seconds=900)
    print(f"CertificateEnds: over {over.at - renewed:.0f} s after the update")


def test_of_an_alertmanager_that_is_down_status_says_that_nobody_is_told(stack: Project) -> None:
    (alertmanager,) = stack.containers("alertmanager")
    prometheus = Prometheus(stack.prometheus_url)

    def fires() -> bool:
        return any(each.labels["alertname"] == "AlertmanagerDown" for each in prometheus.alerts())

    alertmanager.stop(timeout=1)
    try:
        until(fires, "AlertmanagerDown fires", 420, every=2)
        text = " ".join(stack.fridayctl("status", stack.stack, code=1).text.split())
        assert "warning: whether alerts fire is not known: Alertmanager at " in text
    finally:
        alertmanager.start()
    until(lambda: not fires(), "AlertmanagerDown is over", 180, every=2)
    prometheus.close()


def test_a_gateway_that_leaves_its_users_to_the_direct_path(stack: Project, pager: Pager) -> None:
    fire(stack, pager, Stage(LEFT, 60))


def test_answers_that_cost(stack: Project, pager: Pager) -> None:
    fire(stack, pager, Stage(COST))
