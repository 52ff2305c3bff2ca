"""An Alertmanager that has the alerts which it is told of, and whose channels take what they are said to take."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

FIRING = {
    "labels": {"alertname": "LatencyHigh", "severity": "warning", "part": "litellm", "stack": "t"},
    "annotations": {"summary": "p95 is 9 s", "command": "./fridayctl status t"},
    "startsAt": "2026-11-30T02:14:05.000Z",
    "endsAt": "2026-11-30T02:24:05.000Z",
    "updatedAt": "2026-11-30T02:14:05.000Z",
    "fingerprint": "0123456789abcdef",
    "receivers": [{"name": "channels"}],
    "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
}


def firing(name: str, state: str = "active", silenced_by: Sequence[str] = (), **labels: str) -> dict[str, Any]:
    """Return an alert as the API shows it."""
    status = {"state": state, "silencedBy": list(silenced_by), "inhibitedBy": []}
    return {**FIRING, "labels": {**FIRING["labels"], "alertname": name, **labels}, "status": status}  # type: ignore[dict-item]


class FakeAlertmanager(httpx.BaseTransport):
    """Answers as its API (version 2) and its metrics do; each alert that is posted is an attempt by each channel.

    One that takes None hangs.
    """

    def __init__(
        self,
        alerts: Sequence[Mapping[str, Any]] = (),
        *,
        takes: Mapping[str, bool | None] | None = None,
        status: int = 200,
        body: str = "",
    ) -> None:
        self.alerts, self.takes, self.status, self.body = alerts, takes or {}, status, body
        self.posted: list[list[dict[str, Any]]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.body or self.status != 200:
            return httpx.Response(self.status, text=self.body)
        if request.method == "POST":
            self.posted.append(json.loads(request.content))
            return httpx.Response(200)
        if request.url.path.endswith("/status"):
            channels: dict[str, object] = {f"{channel}_configs": [{}] for channel in self.takes}
            return httpx.Response(200, json={"config": {"original": json.dumps({"receivers": [channels]})}})
        if request.url.path == "/metrics":
            return httpx.Response(200, text=self._metrics())
        return httpx.Response(200, json=list(self.alerts))

    def _metrics(self) -> str:
        lines = ["# HELP alertmanager_notification_requests_total The total number of attempted notification requests."]
        for channel, takes in self.takes.items():
            attempts = 0 if takes is None else len(self.posted)
            name = "alertmanager_notification_requests"
            lines.append(f'{name}_failed_total{{integration="{channel}"}} {0 if takes else attempts}')
            lines.append(f'{name}_total{{integration="{channel}"}} {attempts}')
        return "\n".join([*lines, ""])
