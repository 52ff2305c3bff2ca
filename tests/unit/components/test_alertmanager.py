"""What Alertmanager is told: whom, of what, when; and that no secret leaves its file."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from components import parts
from components.alertmanager import DATA_DIR, render, templates
from components.settings.notify import NotifySettings
from components.stack import summary
from components.workload import Workload
from testing.certificates import Authority
from tests.unit.declared import IMAGES, SERVICE, VOLUME, by_part, declare
from tests.unit.given import settings

SLACK, HOOK = "https://hooks.example/services/T0/slacksecret", "https://pager.example/hooksecret"
TOKEN, PASSWORD = "token-0123456789abcdef", "mail-0123456789abcdef"
MAIL: dict[str, Any] = {
    "host": "mail.example.com",
    "from": "friday@example.com",
    "to": ["ops@example.com", "night@example.com"],
    "user": "friday",
    "password": PASSWORD,
}
EVERYONE = {"slack": {"url": SLACK}, "webhook": {"url": HOOK, "token": TOKEN}, "email": MAIL}


def declared(**changes: Any) -> dict[str, Workload]:
    return {each.part: each for each in parts.declare("t", settings(**changes), IMAGES)}


def alertmanager(**changes: Any) -> Workload:
    return declared(**changes)["alertmanager"]


def config(workload: Workload) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(workload.files["alertmanager.yml"].content)
    return found


def prometheus(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(declared(**changes)["prometheus"].files["prometheus.yml"].content)
    return found


def test_prometheus_tells_it_of_alerts_that_say_whose_they_are() -> None:
    document = prometheus()
    (told,) = document["alerting"]["alertmanagers"]
    assert told["static_configs"] == [{"targets": ["alertmanager:9093"]}]
    assert document["global"]["external_labels"] == {"stack": "t"}
    (swarm,) = prometheus(engine="swarm")["alerting"]["alertmanagers"]
    assert swarm["static_configs"] == [{"targets": ["friday-t-alertmanager:9093"]}]


def test_a_stack_may_go_without_it() -> None:
    off: dict[str, Any] = {"monitoring": {"alerts": {"enabled": False}}}
    assert "alertmanager" not in declared(**off)
    assert "alerting" not in prometheus(**off)
    assert "alertmanager" not in {job["job_name"] for job in prometheus(**off)["scrape_configs"]}
    assert "monitoring.alerts.port" not in settings(**off).host_ports


def test_the_rules_are_files_that_prometheus_reads() -> None:
    files = declared()["prometheus"].files
    rules = [path for path in files if path.startswith("rules/")]
    assert rules
    assert prometheus()["rule_files"] == ["/etc/friday/rules/*.yml"]
    for path in rules:
        assert yaml.safe_load(files[path].content)["groups"]


def test_stacks_that_share_a_host_have_different_ports() -> None:
    assert settings().host_ports["monitoring.alerts.port"] == ("127.0.0.1", 9093)
    assert settings(monitoring={"port": 9190}).host_ports["monitoring.alerts.port"] == ("127.0.0.1", 9193)
    (port,) = alertmanager(monitoring={"alerts": {"port": 9999}}).ports
    assert (port.host, port.container, port.address) == (9999, 9093, "127.0.0.1")
    assert alertmanager(engine="swarm").ports == ()


@pytest.mark.parametrize(
    ("monitoring", "said"),
    [
        ({"port": 65534}, "monitoring.alerts.port should be given: there is none 3 above monitoring.port"),
        ({"port": 2997}, "edge.port and monitoring.alerts.port should differ"),
    ],
)
def test_a_port_that_cannot_be_is_refused(monitoring: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        settings(monitoring=monitoring)


def test_without_a_channel_nobody_is_told() -> None:
    workload = alertmanager(notify={"command": {"run": ["page"]}})
    assert config(workload)["receivers"] == [{"name": "nobody"}]
    assert config(workload)["route"]["receiver"] == "nobody"
    assert not [path for path in workload.files if path.startswith("secrets/")]


def test_a_channel_that_does_not_want_alerts_is_not_told() -> None:
    workload = alertmanager(notify={**EVERYONE, "slack": {"url": SLACK, "events": ["abort"]}})
    (_, receiver) = config(workload)["receivers"]
    assert set(receiver) == {"name", "webhook_configs", "email_configs"}
    assert "secrets/slack_url" not in workload.files


def test_every_channel_is_told_by_its_secrets_files() -> None:
    workload = alertmanager(notify=EVERYONE)
    (_, receiver) = config(workload)["receivers"]
    (slack,), (webhook,), (mail,) = (receiver[f"{name}_configs"] for name in ("slack", "webhook", "email"))
    assert slack["api_url_file"] == "/etc/friday/secrets/slack_url"
    assert webhook["url_file"] == "/etc/friday/secrets/webhook_url"
    assert webhook["http_config"]["authorization"]["credentials_file"] == "/etc/friday/secrets/webhook_token"
    assert mail["to"] == "ops@example.com, night@example.com"
    assert (mail["auth_username"], mail["auth_password_file"]) == ("friday", "/etc/friday/secrets/email_password")
    secrets = {path: file.content.strip() for path, file in workload.files.items() if file.secret}
    assert secrets == {
        "secrets/slack_url": SLACK,
        "secrets/webhook_url": HOOK,
        "secrets/webhook_token": TOKEN,
        "secrets/email_password": PASSWORD,
    }
    for each in (slack, webhook, mail):
        assert each["send_resolved"] is True
    for each in (slack, webhook):
        assert each["http_config"]["follow_redirects"] is False


@pytest.mark.parametrize("engine", ["container", "swarm"])
def test_no_secret_is_in_a_command_the_environment_or_a_plain_file(engine: str) -> None:
    workload = alertmanager(notify=EVERYONE, engine=engine)
    shown = [*workload.command, *workload.env.values()]
    shown += [file.content for file in workload.files.values() if not file.secret]
    assert not [secret for secret in (SLACK, HOOK, TOKEN, PASSWORD) if secret in "".join(shown)]


@pytest.mark.parametrize(
    ("changes", "starttls"), [({}, True), ({"port": 465}, False), ({"requireTls": False, "password": None}, False)]
)
def test_mail_is_sent_by_tls_unless_somebody_says_otherwise(changes: dict[str, Any], starttls: bool) -> None:
    mail = {**MAIL, **changes}
    if mail["password"] is None:
        del mail["user"], mail["password"]
    document = yaml.safe_load(render(NotifySettings.model_validate({"email": mail}), by_proxy=False))
    (found,) = document["receivers"][1]["email_configs"]
    assert found["smarthost"] == f"mail.example.com:{mail.get('port', 587)}"
    assert found["require_tls"] is starttls


def test_what_is_critical_is_told_at_once_and_silences_the_warnings_of_its_part() -> None:
    document = config(alertmanager(notify=EVERYONE))
    test, critical = document["route"]["routes"]
    assert test["matchers"] == ['alertname="NotifyTest"']
    assert critical["matchers"] == ['severity="critical"']
    assert critical["group_wait"] == test["group_wait"] == "0s"
    assert document["route"]["group_wait"] == "30s"
    (rule,) = document["inhibit_rules"]
    assert rule["equal"] == ["stack", "part"]


def test_it_goes_out_by_the_proxy_and_trusts_the_authorities_of_the_others(tmp_path: Path) -> None:
    ca = Authority(tmp_path / "company").ca
    egress = {"proxy": "http://proxy.example:3128", "caFile": str(ca)}
    workload = alertmanager(egress=egress, notify=EVERYONE)
    assert workload.env["HTTPS_PROXY"] == "http://proxy.example:3128"
    assert workload.env["SSL_CERT_FILE"] == "/etc/friday/egress-ca.pem"
    assert workload.files["egress-ca.pem"].content == ca.read_text()
    (_, receiver) = config(workload)["receivers"]
    for name in ("slack", "webhook"):
        assert receiver[f"{name}_configs"][0]["http_config"]["proxy_from_environment"] is True
    direct = config(alertmanager(notify=EVERYONE))["receivers"][1]
    assert "proxy_from_environment" not in direct["slack_configs"][0]["http_config"]


def test_slack_gets_no_letter_that_calls_everybody_and_mail_the_text_as_it_is() -> None:
    plain, slack = templates().split('{{ define "friday.slack"')
    assert '{{ define "friday.title"' in plain
    assert '{{ define "friday.text"' in plain
    assert "reReplaceAll" not in plain
    assert slack.count('reReplaceAll "<" "&lt;"') == 4  # summary, description, command, runbook
    assert "shown" not in templates()


def test_its_data_outlive_the_container() -> None:
    before = declare(settings())
    after = declare(settings(notify=EVERYONE, monitoring={"alerts": {"memoryMb": 96}}))
    assert before.of(VOLUME) == after.of(VOLUME)
    volume = before.of(VOLUME)["alertmanager-data"]
    for recorder in (before, after):
        (container,) = by_part(recorder)["alertmanager"]
        assert {"volumeName": volume["name"], "containerPath": DATA_DIR} in container["volumes"]
        assert container["readOnly"] is True


def test_in_a_swarm_it_stays_where_prometheus_is() -> None:
    placed = declare(settings(engine="swarm", monitoring={"placement": "node.hostname==a"})).of(SERVICE)["alertmanager"]
    assert placed["taskSpec"]["placement"] == {"constraints": ["node.hostname==a"]}
    assert placed["endpointSpec"]["ports"] == []


def test_its_address_is_an_output_where_it_is_published() -> None:
    assert summary(settings())["alertsUrl"] == "http://127.0.0.1:9093"
    assert "alertsUrl" not in summary(settings(engine="swarm"))
    assert "alertsUrl" not in summary(settings(monitoring={"alerts": {"enabled": False}}))
