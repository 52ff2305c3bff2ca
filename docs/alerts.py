"""Makes the table of alerts in ALERTS.md from the rules. `python -m docs.alerts` rewrites it."""

import datetime as dt
import itertools
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

SEEN: dict[str, tuple[str, ...]] = {
    "test_alerts.py": ("FridayDown", "GatewayDown"),
    "test_alerts_slow.py": (
        'ReplicaDown part="friday"',
        'ReplicaDown part="litellm"',
        "RedisDown",
        'TargetMissing job="redis"',
        "NotificationsFail",
        "ProviderDown",
        "QuotaMinute",
        'ErrorRateHigh users="gateway"',
        'ErrorRateHigh users="direct"',
        'ErrorBudgetBurns window="1h"',
        'ErrorBudgetBurns window="6h"',
        "ResponsesSlow",
        "ConfigurationDrift",
        "EdgeDown",
    ),
    "test_alerts_states.py": (
        'ErrorBudgetBurns window="1d"',
        'ErrorBudgetBurns window="3d"',
        "AccountRefused",
        "GatewayClosed",
        "PercentagesDiffer",
        "RedisFull",
        "QuotaForecast",
        "QuotaDay",
        'LatencyHigh quantile="p50"',
        'LatencyHigh quantile="p95"',
        'LatencyHigh quantile="p99"',
        "MetricsMissing",
        'CertificateEnds severity="warning"',
        'CertificateEnds severity="critical"',
        "AlertmanagerDown",
        "FallbackRateHigh",
        "CostAboveZero",
    ),
}
"""The alerts that a test brings about on a real stack, by the test's file: a name, and a label where it has several."""

_AS_REDIS = "none: it is the rule of `redis` for another job"
UNSEEN = {
    'TargetMissing job="friday"': _AS_REDIS,
    'TargetMissing job="litellm"': _AS_REDIS,
    "BreakerOpen": "none: a gateway that answers nobody is down for the edge as well, and `GatewayDown` silences it; "
    "one whose models fail refuses at once, which opens no breaker",
}
"""Why no test brings an alert about."""


def all_alerts() -> list[Alert]:
    """Return every alert that a stack of the reference Friday may have, with the thresholds of no settings."""
    settings = StackSettings.model_validate({key: f"stands-for-{key}-0123456789" for key in SECRET_KEYS})
    jobs = tuple(Job(name, name, 1) for name in _JOBS)
    never = dt.datetime.max.replace(tzinfo=dt.UTC)
    shown = certificate(Certificate(pem="", names=(), begins=never, ends=never, alone=False))
    return [*alerts(Given("STACK", settings, {}, jobs)), *shown, DRIFT]


def is_meant(alert: Alert, words: str) -> bool:
    """Return whether words as in SEEN are about an alert."""
    name, _, label = words.partition(" ")
    return alert.name == name and label in ("", *(f'{key}="{value}"' for key, value in alert.all_labels.items()))


def seen_by(alert: Alert) -> str:
    """Return the test that brings an alert about on a real stack, or why there is none."""
    tests = (
        f"[{file}](../tests/integration/{file})"
        for file, all_words in SEEN.items()
        for words in all_words
        if is_meant(alert, words)
    )
    reasons = (why for words, why in UNSEEN.items() if is_meant(alert, words))
    return next(itertools.chain(tests, reasons), "")


def table() -> str:
    """Return a row for each alert: those that page first."""
    rows = [
        f"| [{each.name}](TROUBLESHOOTING.md#{each.name.lower()}) | {each.severity} | {each.when} | `{each.command}` | "
        f"{seen_by(each)} |"
        for each in sorted(all_alerts(), key=lambda alert: alert.severity)
    ]
    return "\n".join(["| alert | severity | when | first | seen on a stack by |", "|---|---|---|---|---|", *rows, ""])


def with_table(text: str) -> str:
    """Return the page with an up-to-date table; ValueError when it has no place for it."""
    return filled(text, PAGE.name, "alerts", _BEGIN, _END, table())


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
