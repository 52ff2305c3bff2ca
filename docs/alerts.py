"""Makes the table of alerts in ALERTS.md from the rules. `python -m docs.alerts` rewrites it."""

import datetime as dt
from pathlib import Path

from components.alert_rules import alerts
from components.alerting.posted import DRIFT
from components.alerting.replicas import certificate
from components.alerting.rule import Alert
from components.certificate import Certificate
from components.part import Given, Job
from components.settings.stack import SECRET_KEYS, StackSettings
from docs.marked import filled

PAGE = Path(__file__).with_name("ALERTS.md")
_BEGIN, _END = "<!-- alerts: made by docs/alerts.py -->\n", "<!-- end -->"
_JOBS = ("alertmanager", "edge", "friday", "litellm", "redis")


def all_alerts() -> list[Alert]:
    """Return every alert that a stack of the reference Friday may have, with the thresholds of no settings."""
    settings = StackSettings.model_validate({key: f"stands-for-{key}-0123456789" for key in SECRET_KEYS})
    jobs = tuple(Job(name, name, 1) for name in _JOBS)
    never = dt.datetime.max.replace(tzinfo=dt.UTC)
    shown = certificate(Certificate(pem="", names=(), begins=never, ends=never, alone=False))
    return [*alerts(Given("STACK", settings, {}, jobs)), *shown, DRIFT]


def table() -> str:
    """Return a row for each alert: those that page first."""
    rows = [
        f"| [{each.name}](TROUBLESHOOTING.md#{each.name.lower()}) | {each.severity} | {each.when} | `{each.command}` |"
        for each in sorted(all_alerts(), key=lambda alert: alert.severity)
    ]
    return "\n".join(["| alert | severity | when | first |", "|---|---|---|---|", *rows, ""])


def with_table(text: str) -> str:
    """Return the page with an up-to-date table; ValueError when it has no place for it."""
    return filled(text, PAGE.name, "alerts", _BEGIN, _END, table())


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
