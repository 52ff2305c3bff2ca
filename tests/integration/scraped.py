"""What a stack's Prometheus answers, and which replicas it asks."""

from typing import Any

import httpx

from testing.meanwhile import until
from testing.project import Project

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
