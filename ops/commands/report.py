"""A stack's report: what its files, its history, its hosts, its gates and its Prometheus say, in one model."""

import datetime as dt
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any, Self

from ops.deployment import Deployment
from ops.errors import OperationError
from ops.hosts.docker_host import Instance
from ops.metrics.alertmanager import Alerting, alerting
from ops.metrics.collect import Sources, sources
from ops.report.collect import judged, measured, unmeasured
from ops.report.incidents import PROMETHEUS
from ops.report.known import Judged, Known
from ops.report.make import make
from ops.report.model import Report
from ops.rollout.history import Entry
from ops.rollout.steps import position_of

HOSTS = "hosts"

_YOUNG_SECONDS, _OLD_SECONDS = 5.0, 30.0
"""Until when a report is given again, and from when on nobody is shown it."""

_PAUSE = 10
"""How many times as long as a report takes nothing is made after it."""


@dataclass(frozen=True)
class Request:
    """Over how long a report looks back."""

    since: dt.timedelta


@dataclass(frozen=True)
class _Stack:
    """What Pulumi and the hosts say; `problems` are those of sources that did not answer."""

    outputs: Mapping[str, Any]
    entries: list[Entry]
    instances: list[Instance] | None
    asked: Sources | None
    problems: Mapping[str, str]


def collect(deployment: Deployment, request: Request) -> Report:
    """Make one report; OperationError when the stack itself cannot be read.

    Hosts and metrics that do not answer are in the report: the history is there without them.
    """
    return _report(deployment, request, _read(deployment))


class Reporter:
    """Makes one report after the other of a stack: for whoever looks all the time.

    A report costs the hosts a while, so one that is young is given again, and the next is made meanwhile: at most a
    tenth of the time goes into it. Usable by several threads at once.
    """

    def __init__(self, deployment: Deployment, request: Request) -> None:
        self._deployment, self._request = deployment, request
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._made: Report | None = None
        self._coming: Future[Report] | None = None
        self._at = self._took = 0.0
        self._lock = Lock()

    def report(self) -> Report:
        """Return the newest report; the first one, and one after a pause, is waited for. Raises as `collect` does."""
        with self._lock:
            age = time.monotonic() - self._at
            if self._coming is None and (self._made is None or age > max(_YOUNG_SECONDS, _PAUSE * self._took)):
                self._coming = self._pool.submit(self._make)
            coming = self._coming
            if coming and (self._made is None or coming.done() or age > _OLD_SECONDS + _PAUSE * self._took):
                self._coming = None
                self._made = coming.result()
                self._at = time.monotonic()
            return self._made  # type: ignore[return-value] # above it was made

    def close(self) -> None:
        """End what is being made."""
        self._pool.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _make(self) -> Report:
        began = time.monotonic()
        if self._made:
            self._deployment.reload()
        made = collect(self._deployment, self._request)
        self._took = time.monotonic() - began
        return made


def _read(deployment: Deployment) -> _Stack:
    # The stack is opened here: two of the threads below ask it.
    deployment.report("report", f"reading {deployment.stack.name}: stack, history, hosts")
    problems = dict[str, str]()
    with ThreadPoolExecutor() as pool:  # each of these is a run of Pulumi's command line
        told, history = pool.submit(deployment.outputs), pool.submit(deployment.read_history_again)
        instances = pool.submit(_instances, deployment, problems)
        outputs = told.result()
        asked = _sources(deployment, outputs, problems) if outputs else None
        return _Stack(outputs, history.result(), instances.result(), asked, problems)


def _instances(deployment: Deployment, problems: dict[str, str]) -> list[Instance] | None:
    try:
        return deployment.hosts.manager.instances(deployment.name)
    except OperationError as error:
        problems[HOSTS] = error.message
        return None


def _sources(deployment: Deployment, outputs: Mapping[str, object], problems: dict[str, str]) -> Sources | None:
    try:
        return sources(deployment, outputs)
    except OperationError as error:
        problems[PROMETHEUS] = error.message
        return None


def _report(deployment: Deployment, request: Request, found: _Stack) -> Report:
    stack, settings = deployment.name, deployment.settings
    now, seconds = dt.datetime.now(dt.UTC), request.since.total_seconds()
    position = position_of(found.entries, settings.rollout, now) if found.outputs else None
    said: Judged | None = None
    alerts = Alerting()
    if position is None:
        figures = unmeasured(settings, found.entries, seconds, now, "nothing is deployed")
    elif found.asked is None:
        figures = unmeasured(settings, found.entries, seconds, now, found.problems.get(PROMETHEUS, ""))
    else:
        deployment.report("report", f"asking Prometheus about the last {_shown(request.since)}")
        with ThreadPoolExecutor(max_workers=2) as pool:
            told = pool.submit(alerting, deployment, found.outputs, found.asked, now.timestamp())
            gates = pool.submit(judged, stack, settings, found.asked, position, found.entries, now)
            figures = measured(found.asked, settings, found.entries, seconds, now)
            said, alerts = gates.result(), told.result()
    return make(
        Known(
            stack=stack,
            settings=settings,
            now=now,
            entries=found.entries,
            position=position,
            testers=len(found.outputs.get("testers") or ()),
            instances=found.instances,
            judged=said,
            alerting=alerts,
            problems={name: why for name, why in found.problems.items() if name != PROMETHEUS},
        ),
        figures,
    )


def _shown(span: dt.timedelta) -> str:
    return f"{span.days} d" if span.days > 1 else f"{span.total_seconds() / 3600:g} h"
