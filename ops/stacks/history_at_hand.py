"""A stack's history as Pulumi's file backend keeps it: asking its command line takes a third of a second each time.

One file an operation (Pulumi's pkg/backend/diy, `getHistory`), in the form of `UpdateInfo` (pkg/backend/updates.go).
"""

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pulumi import automation as auto

from ops.stacks.config_values import as_text, has_secret

_SUFFIX = ".history.json"


def read(folder: Path, most: int | None = None) -> list[auto.UpdateSummary] | None:
    """Return the history in a stack's folder, newest first, without the values of secrets.

    None when Pulumi has to say: there is no such folder, or it holds what this does not know.
    """
    try:
        files = sorted(path for path in folder.iterdir() if _SUFFIX in path.name and path.suffix != ".attrs")
        if any(path.suffix != ".json" for path in files):
            return None  # compressed, where PULUMI_DIY_BACKEND_GZIP is set
        # Their names carry the nanosecond: the last one is the newest.
        return [_summary(json.loads(path.read_bytes())) for path in reversed(files[-most:] if most else files)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _summary(found: Mapping[str, Any]) -> auto.UpdateSummary:
    return auto.UpdateSummary(
        kind=found["kind"],
        start_time=_moment(found["startTime"]),
        message=found["message"],
        environment=found["environment"],
        config={key: _setting(value) for key, value in found["config"].items()},
        result=found["result"],
        end_time=_moment(found["endTime"]),
        version=found["version"],
        resource_changes=found.get("resourceChanges"),
    )


def _moment(seconds: int) -> dt.datetime:
    """Return a moment as Pulumi's library does: UTC that does not say so."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).replace(tzinfo=None)


def _setting(value: object) -> dict[str, object]:
    """Return a setting as `pulumi stack history --json` shows it: what holds a secret anywhere is one, and left out."""
    return {"secret": True} if has_secret(value) else {"secret": False, "value": as_text(value)}
