"""Alertmanager, which tells the channels of `notify` of the alerts that Prometheus finds."""

from pathlib import Path
from typing import Any

import yaml

from components import egress
from components.part import Given, Job, Part, secret_file
from components.probes import HealthProbe, ProbeClient
from components.settings.notify import ChannelSettings, EmailSettings, NotifySettings, SlackSettings, WebhookSettings
from components.workload import FILES_DIR, GATEWAY_NETWORK, File, Port, Workload

NAME = "alertmanager"
PORT = 9093
DATA_DIR = "/var/lib/alertmanager"
TEST_ALERT = "NotifyTest"
"""The alert by which `./fridayctl notify test` tries this way; it waits for nothing and is grouped with nothing."""

_TEMPLATES = "alerts.tmpl"
_SOURCE = Path(__file__).parent / "templates" / _TEMPLATES
# What begins Slack's links and its calls to everybody; in what people write it stands for itself.
_ESCAPED = '| reReplaceAll "&" "&amp;" | reReplaceAll "<" "&lt;" | reReplaceAll ">" "&gt;"'
_TOLD, _NOBODY = "channels", "nobody"
_SLACK_URL, _WEBHOOK_URL = "secrets/slack_url", "secrets/webhook_url"
_WEBHOOK_TOKEN, _MAIL_PASSWORD = "secrets/webhook_token", "secrets/email_password"


def render(notify: NotifySettings, *, by_proxy: bool) -> str:
    """Return alertmanager.yml: who is told of which alert, and when. It holds no secret: each is named by its file.

    `by_proxy` says whether its way out is the proxy of the environment.
    """
    told: dict[str, list[dict[str, Any]]] = {}
    for channel in notify.alerted.values():
        told |= _told_by(channel, {"proxy_from_environment": True} if by_proxy else {})
    receivers: list[dict[str, Any]] = [{"name": _NOBODY}]
    receivers += [{"name": _TOLD, **told}] if told else []
    document = {
        "templates": [f"{FILES_DIR}/{_TEMPLATES}"],
        "route": _routes(_TOLD if told else _NOBODY),
        "inhibit_rules": [
            {
                # A part that is down is late and fails too: who is woken for the one need not read of the others.
                "source_matchers": ['severity="critical"'],
                "target_matchers": ['severity="warning"'],
                "equal": ["stack", "part"],
            }
        ],
        "receivers": receivers,
    }
    return yaml.safe_dump(document, sort_keys=False)


def templates() -> str:
    """Return what a message says: its title, and its text as mail has it and, with Slack's escapes, as a channel."""
    title, found, text = _SOURCE.read_text(encoding="utf-8").partition('{{ define "friday.NAME"')
    plain, slack = (f"{found}{text}".replace("NAME", name) for name in ("text", "slack"))
    return title + plain.replace(" | shown", "") + slack.replace("| shown", _ESCAPED)


def _routes(receiver: str) -> dict[str, object]:
    """Return when whom: what is critical at once, the rest half a minute later, and rarely again."""
    return {
        "receiver": receiver,
        # One message for all replicas, models or percentiles that an alert is about.
        "group_by": ["stack", "alertname", "part"],
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "24h",
        "routes": [
            {
                "matchers": [f'alertname="{TEST_ALERT}"'],
                "group_by": ["..."],
                "group_wait": "0s",
                "group_interval": "10s",
            },
            {
                "matchers": ['severity="critical"'],
                "group_wait": "0s",
                # A delivery is tried again for as long, and then anew.
                "group_interval": "1m",
                "repeat_interval": "4h",
            },
        ],
    }


def _told_by(channel: ChannelSettings, http: dict[str, object]) -> dict[str, list[dict[str, Any]]]:
    """Return one channel as a receiver has it; `http` is how it goes out."""
    # What a redirect names would get the message, and what the address shows.
    http = {"follow_redirects": False, **http}
    match channel:
        case SlackSettings():
            slack = {
                "api_url_file": f"{FILES_DIR}/{_SLACK_URL}",
                "send_resolved": True,
                "http_config": http,
                "username": "",
                "title": '{{ template "friday.title" . }}',
                "title_link": "",
                "text": '{{ template "friday.slack" . }}',
                "fallback": '{{ template "friday.title" . }}',
            }
            return {"slack_configs": [slack]}
        case WebhookSettings():
            if channel.token:
                http["authorization"] = {"type": "Bearer", "credentials_file": f"{FILES_DIR}/{_WEBHOOK_TOKEN}"}
            webhook = {"url_file": f"{FILES_DIR}/{_WEBHOOK_URL}", "send_resolved": True, "http_config": http}
            return {"webhook_configs": [webhook]}
        case EmailSettings():
            return {"email_configs": [_mail(channel)]}
        case _:
            raise TypeError(f"no alert goes to {type(channel).__name__}")


def _mail(channel: EmailSettings) -> dict[str, Any]:
    found: dict[str, Any] = {
        "to": ", ".join(channel.to),
        "from": channel.sender,
        "smarthost": f"{channel.host}:{channel.port}",
        "hello": "friday-litellm",
        # On port 465 it speaks TLS in any case, and would ask for STARTTLS on top.
        "require_tls": channel.require_tls and not channel.tls_at_once,
        "send_resolved": True,
        "headers": {"Subject": '{{ template "friday.title" . }}'},
        "html": "",
        "text": '{{ template "friday.text" . }}',
    }
    if channel.user:
        found |= {"auth_username": channel.user, "auth_password_file": f"{FILES_DIR}/{_MAIL_PASSWORD}"}
    return found


def _secrets(notify: NotifySettings) -> dict[str, File]:
    """Return a file for each secret of the channels that are told of alerts."""
    found: dict[str, File] = {}
    for channel in notify.alerted.values():
        match channel:
            case SlackSettings():
                found[_SLACK_URL] = secret_file(channel.url.get_secret_value())
            case WebhookSettings():
                found[_WEBHOOK_URL] = secret_file(channel.url.get_secret_value())
                if channel.token:
                    found[_WEBHOOK_TOKEN] = secret_file(channel.token.get_secret_value())
            case EmailSettings() if channel.password:
                found[_MAIL_PASSWORD] = secret_file(channel.password.get_secret_value())
    return found


def _workload(given: Given) -> Workload:
    """Declare Alertmanager. It is where Friday cannot reach it: whoever reaches it can silence an alert."""
    settings, notify = given.settings.monitoring.alerts, given.settings.notify
    told = bool(notify.alerted)
    port = given.settings.alerts_port
    return Workload(
        part=NAME,
        image=given.image(NAME, settings),
        command=(
            "prometheus-alertmanager",
            f"--config.file={FILES_DIR}/alertmanager.yml",
            f"--storage.path={DATA_DIR}",
            # There is one, which tells no others.
            "--cluster.listen-address=",
            f"--web.external-url=http://127.0.0.1:{port}",
        ),
        networks=(GATEWAY_NETWORK,),
        probe=HealthProbe(port=PORT, path="/-/ready", client=ProbeClient.BASH),
        memory_mb=settings.memory_mb,
        user="10001:10001",
        env=egress.environment(given) if told else {},
        files={
            "alertmanager.yml": File(render(notify, by_proxy=bool(given.settings.egress.proxy))),
            _TEMPLATES: File(templates()),
            **_secrets(notify),
            **(egress.files(given) if told else {}),
        },
        ports=(Port(port, PORT),) if given.settings.monitoring_published else (),
        data=DATA_DIR,
        placement=given.settings.monitoring.placement,
    )


PART = Part(
    NAME,
    setting="monitoring.alerts",
    workload=_workload,
    joins=lambda settings: settings.monitoring.alerts.enabled,
    metrics=lambda given: Job(NAME, given.every_replica(NAME), PORT),
)
