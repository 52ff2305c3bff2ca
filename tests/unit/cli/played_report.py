"""A stack with a history, hosts and a Prometheus, for the tests of `report`."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from ops.commands import report
from ops.errors import OperationError
from ops.hosts.docker_host import Instance
from ops.metrics.collect import Sources
from ops.report import collect
from ops.rollout.history import Entry
from tests.unit.given import settings
from tests.unit.ops.deployed import Played
from tests.unit.ops.evidence import entry, sound
from tests.unit.ops.report.test_ask import RangePrometheus

OUTPUTS = {"rolloutPercentage": 10, "litellmEnabled": True, "prometheusUrl": "http://p"}
RUNNING = [Instance("friday-t-friday-1", "friday", "i:1", "running", "healthy", 5)]


class World:
    """What a report of the stack `t` is made of. `lost` is raised by the hosts, `broken` by Pulumi."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entries: list[Entry] = [_ago(2, entry(0, 10, "promote: 0 -> 10 %")), _ago(3, entry(0, 0))]
        self.outputs: dict[str, Any] = OUTPUTS
        self.source = Sources("http://p", "http://o", (), RangePrometheus({}))
        self.lost: OperationError | None = None
        self.broken: OperationError | None = None
        self.asked = 0
        played = Played(lambda: settings(rolloutPercentage=10))
        played.with_hosts(SimpleNamespace(instances=lambda _: self._or_raise(RUNNING)))
        played.given(stack=SimpleNamespace(name="t", outputs=self._outputs))
        played.entries = lambda: self.entries
        played.everywhere(monkeypatch)
        monkeypatch.setattr(report, "sources", lambda *_: self._or_raise(self.source))
        monkeypatch.setattr(collect, "measure", lambda *_: sound())

    def _outputs(self) -> dict[str, Any]:
        self.asked += 1
        if self.broken:
            raise self.broken
        return {name: SimpleNamespace(value=value) for name, value in self.outputs.items()}

    def _or_raise(self, found: Any) -> Any:
        if self.lost:
            raise self.lost
        return found


def _ago(hours: float, found: Entry) -> Entry:
    """Return an entry as if it had been made so many hours ago."""
    at = dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours)
    return found.model_copy(update={"started": at, "ended": at})
