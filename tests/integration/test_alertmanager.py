"""Alertmanager in its image, with the configuration of a stack: what its channels are told, and what it keeps."""

import datetime as dt
import json
import ssl
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest
from docker.models.containers import Container

from components.alertmanager import DATA_DIR, PART, TEST_ALERT
from components.part import Given
from components.workload import FILES_DIR
from images.tags import local_images
from testing.certificates import Authority
from testing.mail_receiver import MailReceiver, receiving_mail
from testing.meanwhile import until, until_answered
from testing.ports import free_ports
from testing.receiver import Receiver, receiving
from tests.integration.gateway_container import archive
from tests.unit.given import settings

pytestmark = [pytest.mark.engine, pytest.mark.beside]

PASSWORD = "mail-0123456789abcdef"
TOKEN = "token-0123456789abcdef"
DOWN = {"alertname": "GatewayDown", "severity": "critical", "part": "litellm", "stack": "t"}
SLOW = {"alertname": "LatencyHigh", "severity": "warning", "part": "litellm", "stack": "t"}
WORDS = {
    "summary": "no replica of the gateway answers <!channel>",
    "description": "0 of 2 replicas & nobody else",
    "command": "./fridayctl status t",
    "runbook": "docs/TROUBLESHOOTING.md#gatewaydown",
}


class Told:
    """An Alertmanager with three receivers, on this machine's network; its data outlive its container."""

    def __init__(self, slack: Receiver, webhook: Receiver, mail: MailReceiver, authority: Authority) -> None:
        self.slack, self.webhook, self.mail = slack, webhook, mail
        self.receivers = (slack, webhook, mail)
        self.engine = docker.from_env()
        [port] = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        server = {"host": "127.0.0.1", "port": mail.port, "user": "friday", "password": mail.password}
        notify = {
            "slack": {"url": slack.url},
            "webhook": {"url": webhook.url, "token": TOKEN},
            "email": {**server, "from": "friday@example.com", "to": ["ops@example.com"]},
        }
        chosen = settings(notify=notify, egress={"caFile": str(authority.ca)})
        given = Given("t", chosen, local_images())
        self.declared = PART.workload(given)
        self.command = [*self.declared.command, f"--web.listen-address=127.0.0.1:{port}"]
        self.volume = self.engine.volumes.create(f"friday-test-alertmanager-{uuid.uuid4().hex[:8]}")

    @contextmanager
    def running(self) -> Iterator[Container]:
        container = self.engine.containers.create(
            self.declared.image,
            self.command,
            network_mode="host",
            read_only=True,
            tmpfs=self.declared.tmpfs_options(),
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            user=self.declared.user,
            environment=dict(self.declared.env),
            mem_limit=f"{self.declared.memory_mb}m",
            volumes=[f"{self.volume.name}:{DATA_DIR}", FILES_DIR],
        )
        try:
            container.put_archive(FILES_DIR, archive({p: file.content for p, file in self.declared.files.items()}))
            container.start()
            until_answered(f"{self.url}/-/ready", 60, lambda: _runs(container), lambda: container.logs().decode())
            yield container
            container.stop()
        finally:
            container.remove(force=True, v=True)

    def post(self, *labels: dict[str, str], ends: dt.datetime | None = None) -> None:
        until_then = {"endsAt": ends.isoformat()} if ends else {}
        alerts = [{"labels": each, "annotations": WORDS, **until_then} for each in labels]
        httpx.post(f"{self.url}/api/v2/alerts", json=alerts, timeout=20).raise_for_status()

    def get(self, path: str) -> Any:
        return httpx.get(f"{self.url}/api/v2/{path}", timeout=20).raise_for_status().json()


def _runs(container: Container) -> bool:
    container.reload()
    return container.status == "running"


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    with ExitStack() as stack:
        slack, webhook = (stack.enter_context(receiving(Receiver())) for _ in range(2))
        authority, tls = Authority(tmp_path / "company"), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*authority.sign("mail"))
        mail = stack.enter_context(receiving_mail(MailReceiver(tls=tls, password=PASSWORD)))
        made = Told(slack, webhook, mail, authority)
        try:
            yield made
        finally:
            made.volume.remove()
            made.engine.close()


def test_every_channel_is_told_at_once_of_what_is_critical_and_of_its_end(told: Told) -> None:
    with told.running():
        told.post(DOWN)
        until(lambda: all(each.got for each in told.receivers), lambda: str(told.get("alerts")), 60)
        (attachment,) = json.loads(told.slack.bodies[0])["attachments"]
        assert attachment["title"] == "t: critical: GatewayDown"
        first, second, since, *rest = attachment["text"].splitlines()
        assert first == "GatewayDown (critical, litellm): no replica of the gateway answers &lt;!channel&gt;"
        assert second == "0 of 2 replicas &amp; nobody else"
        assert since.startswith("since 20")
        assert rest == ["next: ./fridayctl status t", "read: docs/TROUBLESHOOTING.md#gatewaydown"]
        _, headers, body = told.webhook.got[0]
        assert headers["authorization"] == f"Bearer {TOKEN}"
        document = json.loads(body)
        assert (document["version"], document["status"], document["commonLabels"]) == ("4", "firing", DOWN)
        (to, _), (mail,) = told.mail.got[0], told.mail.messages
        assert to == ["<ops@example.com>"]
        assert mail["subject"] == "t: critical: GatewayDown"
        body_of_mail = mail.get_body(("plain",))
        assert body_of_mail
        assert "no replica of the gateway answers <!channel>" in body_of_mail.get_content()


def test_the_end_of_an_alert_is_told_too(told: Told) -> None:
    tried = {**DOWN, "alertname": TEST_ALERT}  # the one that need not wait a minute for it
    with told.running():
        told.post(tried)
        until(lambda: all(each.got for each in told.receivers), lambda: str(told.get("alerts")), 60)
        told.post(tried, ends=dt.datetime.now(dt.UTC))
        until(lambda: all(len(each.got) > 1 for each in told.receivers), lambda: str(told.get("alerts")), 60)
        assert json.loads(told.webhook.bodies[1])["status"] == "resolved"
        assert json.loads(told.slack.bodies[1])["attachments"][0]["title"] == f"t: resolved: {TEST_ALERT}"
        assert told.mail.messages[1]["subject"] == f"t: resolved: {TEST_ALERT}"


def test_a_warning_of_a_part_that_is_down_is_not_sent(told: Told) -> None:
    with told.running():
        told.post(DOWN, SLOW, {**SLOW, "part": "friday"})
        until(lambda: len(told.webhook.got) > 1, lambda: str(told.get("alerts")), 90)
        sent = [alert["labels"] for body in told.webhook.bodies for alert in json.loads(body)["alerts"]]
        assert sent == [DOWN, {**SLOW, "part": "friday"}]
        by = {
            each["labels"]["part"]: each["status"]
            for each in told.get("alerts?silenced=false")
            if each["labels"] != DOWN
        }
        assert (by["litellm"]["state"], by["friday"]["state"]) == ("suppressed", "active")


def test_silences_and_what_was_told_outlive_the_container(told: Told) -> None:
    edge, friday = ({**DOWN, "alertname": name} for name in ("EdgeDown", "FridayDown"))
    with told.running() as container:
        told.post(edge)
        until(lambda: told.webhook.got, lambda: str(told.get("alerts")), 60)
        add = ["amtool", f"--alertmanager.url={told.url}", "silence", "add", "alertname=GatewayDown", "--comment=known"]
        code, said = container.exec_run([*add, "--author=anna", "--duration=1h"])
        assert code == 0, said
        (before,) = told.get("silences")
    with told.running():
        (after,) = told.get("silences")
        assert (after["id"], after["status"]["state"]) == (before["id"], "active")
        told.post(DOWN, edge)
        told.post(friday)
        until(lambda: len(told.webhook.got) > 1, lambda: str(told.get("alerts")), 60)
        sent = [alert["labels"] for body in told.webhook.bodies for alert in json.loads(body)["alerts"]]
        assert sent == [edge, friday]


def test_a_receiver_that_answers_500_is_asked_again_and_counted(told: Told) -> None:
    told.webhook.status = 500
    with told.running():
        told.post(DOWN)
        until(lambda: len(told.webhook.got) > 1, lambda: str(told.get("alerts")), 60)
        told.webhook.status = 200
        asked = len(told.webhook.got)
        until(lambda: len(told.webhook.got) > asked, lambda: str(told.get("alerts")), 60)
        metrics = httpx.get(f"{told.url}/metrics", timeout=20).text
        (failed,) = [
            line
            for line in metrics.splitlines()
            if line.startswith('alertmanager_notification_requests_failed_total{integration="webhook"}')
        ]
        assert float(failed.rpartition(" ")[2]) == asked
