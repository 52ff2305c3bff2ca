"""Grafana: there only when somebody names its image, behind a password, and silent towards the internet."""

import json
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from components import grafana, parts
from components.part import ROOT
from components.stack import summary
from components.workload import FILES_DIR, Workload
from tests.unit.declared import IMAGES, by_part, declare, env
from tests.unit.given import SECRETS, settings

IMAGE = "registry.example/grafana@sha256:" + "1" * 64
NAMED = {"image": IMAGE}


def named(**changes: Any) -> Workload:
    chosen = settings(monitoring={"grafana": NAMED, **changes.pop("monitoring", {})}, **changes)
    (found,) = (each for each in parts.declare("t", chosen, IMAGES) if each.part == grafana.NAME)
    return found


def test_a_stack_has_none_unless_its_image_is_named() -> None:
    assert grafana.NAME not in by_part(declare(settings()))
    assert "grafanaUrl" not in summary(settings())
    chosen = settings(monitoring={"grafana": {**NAMED, "port": 3333}})
    assert summary(chosen)["grafanaUrl"] == "http://127.0.0.1:3333"
    assert chosen.host_ports["monitoring.grafana.port"] == ("127.0.0.1", 3333)


def test_its_container_is_locked_down_and_published_on_the_loopback() -> None:
    (container,) = by_part(declare(settings(monitoring={"grafana": NAMED})))[grafana.NAME]
    assert container["readOnly"] is True
    assert container["user"] == "472:0"
    assert container["capabilities"] == {"drops": ["ALL"]}
    assert container["tmpfs"][grafana.DATA_DIR].startswith("rw,noexec,nosuid,size=256m,mode=1777,uid=472,gid=0")
    assert [(int(port["external"]), port["internal"], port["ip"]) for port in container["ports"]] == [
        (3001, 3000, "127.0.0.1")
    ]
    assert "http://127.0.0.1:3000/api/health" in container["healthcheck"]["tests"]
    assert [network["name"] for network in container["networksAdvanced"]] == ["friday-t-gateway"]


def test_its_password_is_in_a_file_and_nobody_reads_without_it() -> None:
    (container,) = by_part(declare(settings(monitoring={"grafana": NAMED})))[grafana.NAME]
    found = env(container)
    password = SECRETS["grafanaPassword"]
    assert password not in json.dumps([container["envs"], container["healthcheck"]])
    file = named().files[found["GF_SECURITY_ADMIN_PASSWORD__FILE"].removeprefix(f"{FILES_DIR}/")]
    assert (file.content, file.secret) == (f"{password}\n", True)
    assert (found["GF_AUTH_ANONYMOUS_ENABLED"], found["GF_USERS_ALLOW_SIGN_UP"]) == ("false", "false")
    assert password not in "".join(each.content for each in named().files.values() if not each.secret)


def test_it_asks_nobody_but_prometheus() -> None:
    files = named(monitoring={"scrapeSeconds": 7}).files
    (source,) = yaml.safe_load(files["provisioning/datasources/prometheus.yaml"].content)["datasources"]
    assert (source["url"], source["isDefault"]) == ("http://prometheus:9090", True)
    assert source["jsonData"]["timeInterval"] == "7s"
    off = {name: value for name, value in named().env.items() if "ANALYTICS" in name or "PREINSTALL" in name}
    assert off["GF_PLUGINS_PREINSTALL_DISABLED"] == "true"
    assert {value for name, value in off.items() if name != "GF_PLUGINS_PREINSTALL_DISABLED"} == {"false"}


def test_it_finds_every_dashboard_where_it_looks_for_them() -> None:
    found = named()
    (provider,) = yaml.safe_load(found.files["provisioning/dashboards/friday.yaml"].content)["providers"]
    folder = provider["options"]["path"].removeprefix(f"{FILES_DIR}/")
    boards = {path: json.loads(file.content) for path, file in found.files.items() if path.startswith(f"{folder}/")}
    assert len({board["uid"] for board in boards.values()}) == 3
    assert found.env["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"].removeprefix(f"{FILES_DIR}/") in boards
    assert found.env["GF_PATHS_PROVISIONING"] == f"{FILES_DIR}/provisioning"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"grafanaPassword": None}, "grafanaPassword should be set when monitoring.grafana.image is"),
        ({"engine": "swarm"}, "monitoring.grafana.image should be left out when engine is swarm"),
        ({"monitoring": {"grafana": {**NAMED, "port": 9090}}}, "monitoring.port and monitoring.grafana.port"),
        ({"monitoring": {"grafana": {"image": "grafana/grafana"}}}, "without tag or digest"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        settings(**{"monitoring": {"grafana": NAMED}, **changes})


def test_another_password_makes_another_container() -> None:
    assert named().files_digest() != named(grafanaPassword="another-password-0123456789").files_digest()


def test_its_variables_are_explained() -> None:
    page = (ROOT / "docs" / "SETTINGS.md").read_text(encoding="utf-8")
    assert [name for name in named().env if f"`{name}`" not in page] == []
