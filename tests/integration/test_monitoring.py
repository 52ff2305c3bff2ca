"""Prometheus on the deployed stack: what it finds, what it counts, what it keeps, and what it does not do."""

import json
import math
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from components.dashboards.build import dashboards
from components.dashboards.model import Panel, Target
from components.prometheus import DATA_DIR
from components.settings.source import from_stack_file
from indicators import INDICATORS, Indicator
from ops.hosts.docker_host import DockerHost
from ops.hosts.edge_switch import Switch
from ops.report.model import Report
from testing import grafana_image
from testing.meanwhile import until
from testing.ports import free_ports
from testing.project import Project
from tests.integration.scraped import ask, await_replicas, get, two_scrapes

pytestmark = [pytest.mark.engine, pytest.mark.beside]

CALLS_BY_PATH = INDICATORS["calls_by_path"].expression("1h")
NONE_HERE = (
    *("edge_chats_error_rate", "account_refused", "cache_skipped", "refused_requests"),
    *("failed_attempts", "fallbacks_by_reason", "model_rest_seconds"),
)
"""What the stack and the traffic of these tests have nothing of: no `friday.chatPaths`, nothing refused, no
call that left the gateway."""


def calls(project: Project) -> Counter[str]:
    return Counter({each["metric"]["path"]: round(float(each["value"][1])) for each in ask(project, CALLS_BY_PATH)})


@pytest.fixture(scope="module", autouse=True)
def traffic(project: Project) -> None:
    """Ask on both paths, as a stream too, and let one model fail, so that every metric has been seen once."""
    await_replicas(project)
    first = project.chat(0)
    project.chat(99)
    project.chat(0, stream=True)
    project.fault({"kind": "status", "status": 503, "model": first.model})
    project.chat(0)
    project.fault()
    two_scrapes(project)


@dataclass(frozen=True)
class Grafana:
    """A Grafana as a team would name it: its settings, and the password that it was given."""

    settings: dict[str, Any]
    password: str


@pytest.fixture(scope="session")
def stand_in(project: Project) -> Iterator[str]:
    """Build what stands in for Grafana's image. It stays: the stack's history names it as a state to go back to."""
    tag = f"grafana-of-the-team:{project.stack}"
    grafana_image.build(project.engine, project.images()["simulator"], tag)
    yield tag
    project.engine.images.remove(tag)


@pytest.fixture
def grafana(project: Project, stand_in: str) -> Iterator[Grafana]:
    """Say what a team would; at the end it is out of the stack again, which others use too."""
    before = project.file.read_text(encoding="utf-8")
    password = project.change_secrets("grafanaPassword")["grafanaPassword"]
    try:
        yield Grafana({"image": stand_in, "port": free_ports(1)[0]}, password)
    finally:
        project.file.write_text(before, encoding="utf-8")
        project.fridayctl("up", project.stack)


def test_every_replica_is_scraped_once(project: Project) -> None:
    await_replicas(project)


def test_a_call_on_each_path_is_counted_within_two_scrapes(project: Project) -> None:
    before = calls(project)
    answers = [project.chat(user) for user in (0, 99)]
    two_scrapes(project)
    assert calls(project) - before == Counter(answer.path for answer in answers)


@pytest.mark.parametrize("indicator", INDICATORS.values(), ids=INDICATORS)
def test_indicators_are_answered_with_the_labels_that_they_say(project: Project, indicator: Indicator) -> None:
    found = ask(project, indicator.expression("1h"))
    assert {frozenset(each["metric"]) for each in found} <= {frozenset(indicator.by)}
    assert found or indicator.name in NONE_HERE


def panels(project: Project) -> list[Panel]:
    """Return every panel of the stack's dashboards."""
    chosen = from_stack_file(project.file, json.loads((project.root / ".state" / "secrets.json").read_text()))
    boards = dashboards(project.stack, chosen).values()
    return [panel for board in boards for panel in board.panels if isinstance(panel, Panel)]


def asked(project: Project, panel: Panel, target: Target) -> list[float]:
    """Return the numbers that a panel shows of a query, asked as Grafana asks it for the last half an hour."""
    step = 60 if panel.interval == "1m" else 300
    variables = {"$__rate_interval": f"{step + 5}s", "$__interval": f"{step}s", "$__range": "30m"}
    query = target.expr
    for name, value in variables.items():
        query = query.replace(name, value)
    if target.instant:
        return [float(each["value"][1]) for each in ask(project, query)]
    now = time.time()
    found = get(project, "query_range", query=query, start=str(now - 1800), end=str(now), step=str(step))["result"]
    return [float(number) for each in found for _, number in each["values"]]


def test_no_panel_of_a_dashboard_is_empty(project: Project) -> None:
    shown = panels(project)
    numbers = {
        f"{panel.title}: {target.legend_format}": asked(project, panel, target)
        for panel in shown
        for target in panel.targets
    }
    assert len(numbers) > 50
    assert [name for name, found in numbers.items() if not any(map(math.isfinite, found))] == []


def test_it_shows_no_secret(project: Project) -> None:
    secrets = json.loads((project.root / ".state" / "secrets.json").read_text())
    shown = [get(project, path) for path in ("status/config", "status/flags", "targets", "labels", "metadata")]
    assert "credentials_file" in str(shown)
    assert not [name for name, secret in secrets.items() if secret in str(shown)]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/-/quit"),
        ("POST", "/-/reload"),
        ("POST", "/api/v1/admin/tsdb/delete_series?match[]=up"),
        ("POST", "/api/v1/admin/tsdb/snapshot"),
        ("POST", "/api/v1/write"),
    ],
)
def test_nobody_changes_it_by_http(project: Project, method: str, path: str) -> None:
    assert httpx.request(method, f"{project.prometheus_url}{path}", timeout=20).status_code >= 400
    assert httpx.get(f"{project.prometheus_url}/-/ready", timeout=20).status_code == 200


def test_other_origins_pages_are_not_let_in(project: Project) -> None:
    url = f"{project.prometheus_url}/api/v1/query?query=up"
    answer = httpx.get(url, headers={"origin": "https://elsewhere.example"}, timeout=20)
    assert "access-control-allow-origin" not in answer.headers


def test_its_configuration_is_what_its_own_checker_accepts(project: Project) -> None:
    code, output = project.containers("prometheus")[0].exec_run(
        ["promtool", "check", "config", "/etc/friday/prometheus.yml"]
    )
    assert code == 0, output


def test_every_rule_is_evaluated_without_an_error(project: Project) -> None:
    def rules() -> list[dict[str, Any]]:
        return [rule for group in get(project, "rules")["groups"] for rule in group["rules"]]

    until(lambda: all(rule["health"] != "unknown" for rule in rules()), "every rule was evaluated", 180, every=1)
    assert len(rules()) > 30
    assert {rule["name"]: rule["lastError"] for rule in rules() if rule["health"] != "ok"} == {}


def report(project: Project) -> Report:
    project.fridayctl("report", project.stack, "--since", "1h", "--json", "-o", "report.json")
    return Report.model_validate_json((project.root / "report.json").read_text(encoding="utf-8"))


def counted(found: Report) -> Counter[str]:
    """Return the calls of the window by path."""
    (series,) = (each for each in found.series if each.name == "calls")
    return Counter({line.name: round(sum(value or 0 for value in line.values)) for line in series.lines})


def test_a_report_holds_what_users_had(project: Project) -> None:
    """Answers of both paths, fallbacks while the gateway is closed, and a failed call of the direct path."""
    switch = Switch([DockerHost(project.engine)], project.stack)
    sent = Counter(project.chat(user).path for user in (0, 0, 0, 99, 99))
    switch.close()
    try:
        sent += Counter(project.chat(0).path for _ in range(2))
        two_scrapes(project)
    finally:
        switch.open()
    project.fault({"kind": "status", "status": 503})
    try:
        assert project.chat(99).status >= 500
        sent["direct"] += 1
    finally:
        project.fault()
    two_scrapes(project)
    found = report(project)
    assert (sent["litellm"], sent["fallback"], sent["direct"]) == (3, 2, 3)
    # Other tests asked this stack too.
    assert all(counted(found)[path] >= number for path, number in sent.items())
    failed = next(each for each in found.daily[0].figures if each.name == "direct_error_rate")
    assert failed.value
    assert failed.value == pytest.approx(_indicator(project, "direct_error_rate", found), rel=0.1)
    fallen = next(each for each in found.daily[2].figures if each.name == "fallback_rate")
    assert fallen.value == pytest.approx(_indicator(project, "fallback_rate", found), rel=0.1)
    assert [each for each in found.incidents if each.kind == "switch-closed"]
    assert all(each.answered for each in found.sources), found.sources
    assert {each.gate for each in found.gates} >= {"errors", "cost", "quota"}
    assert found.marks
    assert found.weekly[0].name == "cost"
    assert not any(each.value for each in found.weekly[0].figures)


def _indicator(project: Project, name: str, found: Report) -> float:
    moment = str(found.window.ended.timestamp())
    (sample,) = ask(project, INDICATORS[name].expression("1h"), time=moment)
    return float(sample["value"][1])


def test_what_was_seen_outlives_the_container_and_new_replicas_are_found(project: Project, grafana: Grafana) -> None:
    (before,) = project.containers("prometheus")
    moment = {"time": str(time.time())}
    seen = ask(project, "friday_llm_requests_total", **moment)
    assert seen
    fridays = {container.id for container in project.containers("friday")}
    environment = {**project.settings["friday"]["environment"], "REPLACED_BY_A_TEST": "yes"}
    monitoring = {**project.settings["monitoring"], "scrapeSeconds": 4, "grafana": grafana.settings}
    project.configure({"monitoring": monitoring, "friday": {**project.settings["friday"], "environment": environment}})
    said = project.fridayctl("up", project.stack).out
    (after,) = project.containers("prometheus")
    assert after.id != before.id
    assert not fridays & {container.id for container in project.containers("friday")}
    assert ask(project, "friday_llm_requests_total", **moment) == seen
    await_replicas(project)
    mounts = {mount["Destination"]: mount["Name"] for mount in after.attrs["Mounts"] if mount["Type"] == "volume"}
    assert mounts[DATA_DIR] == f"friday-{project.stack}-prometheus-data"
    url = f"http://127.0.0.1:{grafana.settings['port']}"
    assert f"Grafana    {url} " in said
    found = httpx.get(f"{url}/api/health", timeout=20).json()
    titles = [f"Friday {project.stack}: {name}" for name in ("Gateway", "Parts", "Rollout")]
    assert (found["dashboards"], found["prometheus"], found["user"]) == (titles, "success", [472, 0])
    assert found["password"] == grafana.password
