"""What Prometheus is told to scrape, and what it and the Redis exporter are deployed with."""

import json
from typing import Any

import yaml

from components import parts
from components.part import Job
from components.prometheus import DATA_DIR, render
from components.workload import Workload
from tests.unit.declared import CONTAINER, IMAGES, SERVICE, VOLUME, by_part, declare
from tests.unit.given import SECRETS, settings

OWN_FRIDAY = {"image": "registry.example/friday@sha256:" + "0" * 64}


def declared(**changes: Any) -> dict[str, Workload]:
    return {each.part: each for each in parts.declare("t", settings(**changes), IMAGES)}


def prometheus(**changes: Any) -> Workload:
    return declared(**changes)["prometheus"]


def scraped(**changes: Any) -> dict[str, dict[str, Any]]:
    document = yaml.safe_load(prometheus(**changes).files["prometheus.yml"].content)
    return {job["job_name"]: job for job in document["scrape_configs"]}


def targets(jobs: dict[str, dict[str, Any]]) -> dict[str, tuple[str, int, str]]:
    found = {}
    for name, job in jobs.items():
        (discovery,) = job["dns_sd_configs"]
        (host,) = discovery["names"]
        found[name] = (host, discovery["port"], job["metrics_path"])
    return found


def test_a_job_becomes_a_lookup_of_all_addresses_of_its_name() -> None:
    jobs = [Job("friday", "friday", 3000, path="/m"), Job("gateway", "gw", 1, bearer_file="/k")]
    document = yaml.safe_load(render("t", jobs, 7, ""))
    assert document["global"]["scrape_interval"] == "7s"
    plain_job, keyed = document["scrape_configs"]
    assert plain_job == {
        "job_name": "friday",
        "metrics_path": "/m",
        "follow_redirects": False,
        "dns_sd_configs": [{"names": ["friday"], "type": "A", "port": 3000, "refresh_interval": "5s"}],
    }
    assert keyed["authorization"] == {"type": "Bearer", "credentials_file": "/k"}


def test_every_part_but_the_simulator_is_scraped() -> None:
    assert targets(scraped()) == {
        "edge": ("edge", 8404, "/metrics"),
        "litellm": ("litellm", 4000, "/metrics"),
        "friday": ("friday", 3000, "/metrics"),
        "redis": ("redis-exporter", 9121, "/metrics"),
        "alertmanager": ("alertmanager", 9093, "/metrics"),
    }


def test_in_a_swarm_the_tasks_are_asked_for() -> None:
    found = targets(scraped(engine="swarm"))
    assert {name: host for name, (host, _, _) in found.items()} == {
        "edge": "tasks.friday-t-edge",
        "litellm": "tasks.friday-t-litellm",
        "friday": "tasks.friday-t-friday",
        "redis": "tasks.friday-t-redis-exporter",
        "alertmanager": "tasks.friday-t-alertmanager",
    }


def test_without_redis_there_is_no_exporter() -> None:
    alone = {"replicas": 1}
    assert "redis" not in scraped(litellm=alone)
    assert "redis-exporter" not in declared(litellm=alone)


def test_a_friday_image_of_the_teams_own_is_scraped_where_it_says() -> None:
    assert "friday" not in scraped(friday=OWN_FRIDAY)
    assert targets(scraped(friday={**OWN_FRIDAY, "metricsPath": "/own"}))["friday"] == ("friday", 3000, "/own")


def test_only_the_gateway_is_shown_the_ops_key_and_it_is_a_secret_file() -> None:
    workload = prometheus()
    assert {name for name, job in scraped().items() if "authorization" in job} == {"litellm"}
    (path,) = {job["authorization"]["credentials_file"] for job in scraped().values() if "authorization" in job}
    key = workload.files[path.removeprefix("/etc/friday/")]
    assert key.secret
    assert key.content.strip() == SECRETS["opsKey"]


def test_the_exporters_password_is_a_secret_file_for_redis_address() -> None:
    workload = declared()["redis-exporter"]
    (content,) = workload.files.values()
    assert content.secret
    assert json.loads(content.content) == {"redis://redis:6379": SECRETS["redisPassword"]}
    assert "-redis.addr=redis://redis:6379" in workload.command


def test_no_secret_is_in_a_command_or_a_file_that_is_not_encrypted() -> None:
    for workload in (declared()["prometheus"], declared()["redis-exporter"]):
        shown = [*workload.command, *(file.content for file in workload.files.values() if not file.secret)]
        assert not [name for name, secret in SECRETS.items() if secret in "".join(shown)]


def test_neither_admin_api_nor_lifecycle_nor_remote_write_is_switched_on() -> None:
    command = " ".join(prometheus().command)
    for flag in ("web.enable", "enable-feature", "remote-write"):
        assert flag not in command


def test_settings_bound_what_is_kept() -> None:
    changed = {"retentionDays": 30, "maxDataMb": 1024, "scrapeSeconds": 2, "memoryMb": 512, "port": 9999}
    workload = prometheus(monitoring=changed)
    assert "--storage.tsdb.retention.time=30d" in workload.command
    assert "--storage.tsdb.retention.size=1024MB" in workload.command
    assert yaml.safe_load(workload.files["prometheus.yml"].content)["global"]["scrape_interval"] == "2s"
    assert workload.memory_mb == 512
    assert [(port.host, port.address) for port in workload.ports] == [(9999, "127.0.0.1")]


def test_the_data_are_in_a_volume_that_no_change_of_the_container_touches() -> None:
    before = declare(settings())
    after = declare(settings(monitoring={"scrapeSeconds": 2, "memoryMb": 512, "image": "registry.example/p:1"}))
    assert before.of(VOLUME) == after.of(VOLUME)
    volume = before.of(VOLUME)["prometheus-data"]
    assert volume["name"] == "friday-t-prometheus-data"
    assert {"label": "friday-litellm.stack", "value": "t"} in volume["labels"]
    for recorder in (before, after):
        (container,) = by_part(recorder)["prometheus"]
        assert {"volumeName": volume["name"], "containerPath": DATA_DIR} in container["volumes"]
        assert container["readOnly"] is True
    files = [name for name in set(before.of(CONTAINER)) ^ set(after.of(CONTAINER)) if "-files-" not in name]
    assert files == []  # replaced in place: its old container goes first, so there is one writer


def test_a_percentage_leaves_monitoring_alone() -> None:
    before, after = (declare(settings(rolloutPercentage=percentage)).of(CONTAINER) for percentage in (10, 50))
    for name in before:
        if name.startswith(("prometheus", "redis-exporter")):
            assert before[name] == after[name]


def test_in_a_swarm_it_stays_on_one_host_and_is_not_published() -> None:
    service = declare(settings(engine="swarm", monitoring={"placement": "node.hostname==a"})).of(SERVICE)["prometheus"]
    task = service["taskSpec"]
    assert task["placement"] == {"constraints": ["node.hostname==a"]}
    (kept,) = (each for each in task["containerSpec"]["mounts"] if each["target"] == DATA_DIR)
    assert (kept["source"], kept["type"]) == ("friday-t-prometheus-data", "volume")
    # The host that makes it is not the manager: `down` finds it there by its label.
    assert kept["volumeOptions"]["labels"] == [{"label": "friday-litellm.stack", "value": "t"}]
    assert service["updateConfig"]["order"] == "stop-first"
    assert service["endpointSpec"]["ports"] == []
