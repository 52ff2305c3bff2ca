"""An alert of drift, which no metric shows: whoever looks tells Alertmanager, also that it is over."""

import datetime as dt
from collections.abc import Sequence

from components.alerting.posted import DRIFT, STAYS_HOURS
from ops.checks.drift import Drift
from ops.deployment import Deployment
from ops.metrics.alertmanager import Alertmanager, alertmanager_of
from ops.metrics.server import SilentError

_MOST = 5


def tell(deployment: Deployment, found: Sequence[Drift]) -> None:
    """Tell a stack's Alertmanager what was found; nothing ends an alert that was told before.

    One that does not answer is reported in a line, and changes nothing else.
    """
    if not deployment.settings.monitoring.alerts.enabled:
        return
    alertmanager = alertmanager_of(deployment, deployment.outputs())
    if alertmanager is None:
        return
    try:
        _tell(alertmanager, deployment.name, found)
    except SilentError as error:
        deployment.report("alerts", f"not told of drift: {error}")
    finally:
        alertmanager.close()


def _tell(alertmanager: Alertmanager, stack: str, found: Sequence[Drift]) -> None:
    now = dt.datetime.now(dt.UTC)
    if found:
        alertmanager.post([_alert(stack, found, now, now + dt.timedelta(hours=STAYS_HOURS))])
    elif any(each.name == DRIFT.name and each.labels.get("stack") == stack for each in alertmanager.alerts()):
        alertmanager.post([_alert(stack, found, now, now)])


def _alert(stack: str, found: Sequence[Drift], begins: dt.datetime, ends: dt.datetime) -> dict[str, object]:
    """Return it as Alertmanager's API (version 2) takes it.

    Of one that lasts Alertmanager keeps the earliest begin; without any it would take the end for it. Only what differs
    is named, not how: a channel may be read by many.
    """
    named = list(dict.fromkeys(f"{each.kind} {each.name}" for each in found))
    more = f" and {len(named) - _MOST} more" if len(named) > _MOST else ""
    return {
        "labels": {"alertname": DRIFT.name, "stack": stack, **DRIFT.all_labels},
        "annotations": {**DRIFT.annotations(stack), "description": ", ".join(named[:_MOST]) + more},
        "startsAt": begins.isoformat(),
        "endsAt": ends.isoformat(),
    }
