"""A test message by every channel of a stack, and a test alert by its Alertmanager."""

import datetime as dt
import time
import uuid
from dataclasses import dataclass

from components.alertmanager import TEST_ALERT
from ops.deployment import Deployment
from ops.errors import EXIT_USAGE, OperationError
from ops.metrics.alertmanager import Alertmanager, Deliveries, alertmanager_of
from ops.metrics.server import SilentError

_WHAT = "this is a test, nothing has happened"
_ALERT_SECONDS = 15.0
"""How long a channel may take to be told of the test alert: it is told at once, and a mail server thinks."""

_LASTS = dt.timedelta(minutes=1)
"""After that the test alert is over, also where the host's clock is somewhat behind; then its end is told."""


@dataclass(frozen=True)
class Tried:
    """What became of a test message by one channel; without a `problem` it was taken. An `alert` came another way."""

    channel: str
    problem: str
    seconds: float
    fix: str = ""
    alert: bool = False

    @property
    def name(self) -> str:
        """Return the channel as it is shown."""
        return f"{self.channel} (alert)" if self.alert else self.channel

    @property
    def figures(self) -> dict[str, object]:
        """Return it for --json."""
        return {"alert": self.alert, "problem": self.problem, "fix": self.fix, "seconds": round(self.seconds, 2)}


def try_channels(deployment: Deployment) -> list[Tried]:
    """Send a test message by each channel, whichever events it wants, and wait for what becomes of it.

    Where an Alertmanager runs it is given an alert, too, for those that are told of alerts.

    Raises OperationError (exit code 2) when there is no channel, or the secrets cannot be decrypted.
    """
    name, channels = deployment.name, deployment.settings.notify.channels
    if not channels:
        fix = f"{_setting(deployment, 'slack')} (docs/NOTIFICATIONS.md has the others)"
        raise OperationError(f"{name}: nobody is told anything, the setting `notify` names no channel", fix, EXIT_USAGE)
    assert deployment.decrypted_settings  # noqa: S101 - what is wrong with it is said here, and once
    notifier = deployment.notifier
    message = notifier.message("test", result="done", what=_WHAT, next=f"./fridayctl status {name}")
    tried = []
    for sent in notifier.deliver(message, channels):
        problem = sent.wait()
        tried.append(Tried(sent.channel, problem, sent.seconds, _setting(deployment, sent.channel) if problem else ""))
    return [*tried, *_try_alert(deployment)]


def _setting(deployment: Deployment, channel: str) -> str:
    """Return how a channel is corrected."""
    if channel in ("command", "email"):
        return f"correct notify.{channel} in Pulumi.{deployment.name}.yaml"
    return f"pulumi config set --secret --path notify.{channel}.url -s {deployment.name}"


def _try_alert(deployment: Deployment) -> list[Tried]:
    name, channels = deployment.name, list(deployment.settings.notify.alerted)
    if not channels or not deployment.settings.monitoring.alerts.enabled:
        return []
    try:
        outputs = deployment.outputs()
        alertmanager = alertmanager_of(deployment, outputs) if outputs else None
    except OperationError as error:  # what became of the messages is shown all the same
        return [Tried(channel, error.message, 0.0, error.fix, alert=True) for channel in channels]
    if alertmanager is None:
        deployment.report("alerts", f"not tried: no Alertmanager runs yet, ./fridayctl up {name} makes it")
        return []
    try:
        known = alertmanager.channels()
        for channel in (each for each in channels if each not in known):
            what = f"not tried by {channel}: what runs does not know it yet, ./fridayctl up {name} tells it"
            deployment.report("alerts", what)
        return _told(deployment, alertmanager, [each for each in channels if each in known])
    except SilentError as error:
        fix = f"./fridayctl status {name}"
        return [Tried(channel, str(error), 0.0, fix, alert=True) for channel in channels]
    finally:
        alertmanager.close()


def _told(deployment: Deployment, alertmanager: Alertmanager, channels: list[str]) -> list[Tried]:
    """Give an alert to Alertmanager, and watch its counters until each channel took or refused something."""
    if not channels:
        return []
    before, began = alertmanager.deliveries(), time.monotonic()
    alertmanager.post([_alert(deployment.name)])
    tried: dict[str, Tried] = {}
    while len(tried) < len(channels) and (spent := time.monotonic() - began) < _ALERT_SECONDS:
        now = alertmanager.deliveries()
        for channel in (each for each in channels if each not in tried):
            was, done = before.get(channel, Deliveries()), now.get(channel, Deliveries())
            if done.failed > was.failed:
                fix = f"./fridayctl logs {deployment.name} alertmanager says why; {_setting(deployment, channel)}"
                tried[channel] = Tried(channel, "it did not take the alert", spent, fix, alert=True)
            elif done.attempts > was.attempts:
                tried[channel] = Tried(channel, "", spent, alert=True)
        time.sleep(0.2)
    nothing = f"it did not answer within {_ALERT_SECONDS:.0f} s"
    logs = f"./fridayctl logs {deployment.name} alertmanager"
    left = {channel: Tried(channel, nothing, _ALERT_SECONDS, logs, alert=True) for channel in channels}
    return list({**left, **tried}.values())


def _alert(stack: str) -> dict[str, object]:
    now = dt.datetime.now(dt.UTC)
    # Each is one of its own, or a second would have to wait for the first one's end.
    labels = {"alertname": TEST_ALERT, "severity": "test", "stack": stack, "id": uuid.uuid4().hex[:8]}
    annotations = {"summary": _WHAT, "command": f"./fridayctl status {stack}"}
    # Without a begin Alertmanager would take the end for it.
    times = {"startsAt": now.isoformat(), "endsAt": (now + _LASTS).isoformat()}
    return {"labels": labels, "annotations": annotations, **times}
