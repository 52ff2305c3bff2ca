"""Prometheus on the deployed stack: what it finds, what it counts, what it keeps, and what it does not do."""

import json
import re
import time
from collections import Counter
from typing import Any

import httpx
import pytest

from components.prometheus import DATA_DIR
from indicators import INDICATORS
from ops.hosts.docker_host import DockerHost
from ops.hosts.edge_switch import Switch
from ops.report.model import Report
from testing.meanwhile import until
from testing.project import ROOT, Project

pytestmark = [pytest.mark.engine, pytest.mark.beside]

PAGE = (ROOT / "docs" / "MONITORING.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"^```promql\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
CALLS_BY_PATH = QUERIES[0]
PARTS = {
    "alertmanager": "alertmanager",
    "edge": "edge-ports",
    "friday": "friday",
    "litellm": "litellm",
    "redis": "redis-exporter",
}
"""Who answers for each job."""


def get(project: Project, path: str, **parameters: str) -> Any:
    response = httpx.get(f"{project.prometheus_url}/api/v1/{path}", params=parameters, timeout=30)
    assert response.status_code == 200, response.text
    return response.json()["data"]


def ask(project: Project, query: str, **parameters: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get(project, "query", query=query, **parameters)["result"]
    return found


def targets(project: Project) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get(project, "targets", state="active")["activeTargets"]
    return found


def await_replicas(project: Project) -> None:
    """Wait until every replica that runs is scraped well, and nothing else is."""

    def compared() -> str:
        return f"scraped: {found(project)}, but there are: {expected(project)}"

    until(lambda: found(project) == expected(project), compared, 120, every=0.5)


def found(project: Project) -> dict[str, list[str]]:
    """Return the replicas that are scraped and well, by job; a target that is no replica goes by its address."""
    names = {address: name for part in PARTS.values() for name, address in addresses(project, part)}
    jobs: dict[str, list[str]] = {}
    for target in targets(project):
        if target["health"] == "up":
            address = target["labels"]["instance"].rpartition(":")[0]
            jobs.setdefault(target["labels"]["job"], []).append(names.get(address, address))
    return {job: sorted(replicas) for job, replicas in jobs.items()}


def expected(project: Project) -> dict[str, list[str]]:
    return {job: sorted(str(each.name) for each in project.containers(part)) for job, part in PARTS.items()}


def addresses(project: Project, part: str) -> list[tuple[str, str]]:
    return [
        (str(container.name), network["IPAddress"])
        for container in project.containers(part)
        for network in container.attrs["NetworkSettings"]["Networks"].values()
    ]


def two_scrapes(project: Project) -> None:
    """Wait until every target has been asked twice from now on."""
    seen: dict[str, set[str]] = {}

    def each_twice() -> bool:
        asked = targets(project)
        for target in asked:
            seen.setdefault(target["scrapeUrl"], set()).add(target["lastScrape"])
        # Of those that are there now: a replica that has just been replaced is not asked again.
        return bool(asked) and all(len(seen[target["scrapeUrl"]]) >= 3 for target in asked)

    until(each_twice, lambda: f"two scrapes of each target: {seen}", 120, every=0.3)


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


def test_every_replica_is_scraped_once(project: Project) -> None:
    await_replicas(project)


def test_a_call_on_each_path_is_counted_within_two_scrapes(project: Project) -> None:
    before = calls(project)
    answers = [project.chat(user) for user in (0, 99)]
    two_scrapes(project)
    assert calls(project) - before == Counter(answer.path for answer in answers)


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_the_queries_of_the_page_are_answered(project: Project, query: str) -> None:
    assert ask(project, query) != []


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


def test_every_rule_is_evaluated_without_an_error(project: Project) -> None:
    def rules() -> list[dict[str, Any]]:
        return [rule for group in get(project, "rules")["groups"] for rule in group["rules"]]

    until(lambda: all(rule["health"] != "unknown" for rule in rules()), "every rule was evaluated", 180, every=1)
    assert len(rules()) > 30
    assert {rule["name"]: rule["lastError"] for rule in rules() if rule["health"] != "ok"} == {}


def test_what_was_seen_outlives_the_container_and_new_replicas_are_found(project: Project) -> None:
    (before,) = project.containers("prometheus")
    moment = {"time": str(time.time())}
    seen = ask(project, "friday_llm_requests_total", **moment)
    assert seen
    fridays = {container.id for container in project.containers("friday")}
    environment = {**project.settings["friday"]["environment"], "REPLACED_BY_A_TEST": "yes"}
    monitoring = {**project.settings["monitoring"], "scrapeSeconds": 4}
    project.configure({"monitoring": monitoring, "friday": {**project.settings["friday"], "environment": environment}})
    project.fridayctl("up", project.stack)
    (after,) = project.containers("prometheus")
    assert after.id != before.id
    assert not fridays & {container.id for container in project.containers("friday")}
    assert ask(project, "friday_llm_requests_total", **moment) == seen
    await_replicas(project)
    mounts = {mount["Destination"]: mount["Name"] for mount in after.attrs["Mounts"] if mount["Type"] == "volume"}
    assert mounts[DATA_DIR] == f"friday-{project.stack}-prometheus-data"
