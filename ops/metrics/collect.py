"""Collects the evidence for a stack's gates from every source: Prometheus, and OpenRouter itself about its keys."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from threading import Lock
from typing import Any

import httpx
from pydantic import ValidationError

from components.prometheus import PORT as PROMETHEUS_PORT
from components.settings.rollout import GateSettings
from components.settings.stack import StackSettings
from indicators.selectors import CHATS, FRIDAY, USERS
from ops.deployment import Deployment
from ops.metrics.names import missing, noting
from ops.metrics.openrouter import KeyUsage, key_usage, keys_of, reached_at
from ops.metrics.prometheus import Prometheus
from ops.metrics.reached import reached
from ops.metrics.server import SilentError, answered
from ops.rollout.gates import cost, errors, registry
from ops.rollout.gates.complaints import NAME as COMPLAINTS
from ops.rollout.gates.evidence import OPENROUTER, PROMETHEUS, Evidence
from ops.rollout.gates.look import SHORTEST, Look, Sample, Scope, Window
from ops.rollout.history import Entry, deployed, exchanges, ratings_between, step_before

_Ask = Callable[[str, float], list[Sample]]

_KNOWN_SECONDS = 10.0
"""How long the edge may count a replica among those that serve when it is gone: three checks of up to 3 s."""


_CLOCKS_SECONDS = 30.0
"""How far two clocks may be apart before a window is of another time than it says."""


@dataclass(frozen=True)
class Sources:
    """Where a stack's figures come from: addresses, and OpenRouter's keys.

    `transport` reaches a Prometheus that does not answer on this machine, `to_openrouter` a simulator that does not.
    The first key is the gateway's; one key may serve both paths.
    """

    prometheus: str
    openrouter: str
    keys: tuple[str, ...]
    transport: httpx.BaseTransport | None = None
    to_openrouter: httpx.BaseTransport | None = None


def sources(deployment: Deployment, outputs: Mapping[str, object]) -> Sources:
    """Find a deployed stack's sources; the secrets are decrypted by Pulumi."""
    settings = deployment.settings
    hosts = cache(lambda: list(deployment.hosts.answering(lambda _: None).values()))
    openrouter, to_openrouter = reached_at(deployment.name, settings, hosts)
    keys = tuple(keys_of(deployment.decrypted_settings).values())
    url, inside = reached(deployment, outputs.get("prometheusUrl"), "prometheus", PROMETHEUS_PORT, hosts)
    return Sources(url, openrouter, keys, inside, to_openrouter)


def measure(
    asked: Sources,
    settings: StackSettings,
    entries: Sequence[Entry],
    began: dt.datetime,
    now: dt.datetime,
    *,
    watching: bool = False,
) -> Evidence:
    """Measure since `began`, or over each gate's own window when that is shorter and nobody is watching: all looks of a
    watch together say something only when they begin at the same moment. Never raises: what a source does not answer is
    missing in the evidence, and `silent` says why.
    """
    elapsed = (now - began).total_seconds()
    seconds = windows(settings, elapsed)
    if watching:
        seconds = dict.fromkeys(seconds, max(SHORTEST, elapsed))
    with ThreadPoolExecutor(max_workers=1 + len(asked.keys)) as pool:
        questions = [partial(key_usage, asked.openrouter, key, asked.to_openrouter) for key in asked.keys]
        keys = [pool.submit(answered, question) for question in questions]
        found = _from_prometheus(asked, settings, entries, seconds, now)
        answers = [key.result() for key in keys]
    usages = [answer for answer in answers if isinstance(answer, KeyUsage)]
    refusals = [answer for answer in answers if isinstance(answer, SilentError)]
    if refusals:
        found["silent"] = {**found["silent"], OPENROUTER: str(refusals[0])}
    elif usages:
        since = now - dt.timedelta(seconds=seconds[cost.GATE.name])
        found["key_usage"] = sum(usage.since(since, now) for usage in usages)
    daily = usages[0].requests_per_day if usages and not refusals else None
    left = [usage.requests_left for usage in usages if usage.requests_left is not None]
    return Evidence(
        windows=seconds,
        requests_per_minute=settings.quota.requests_per_minute,
        requests_per_day=min(settings.quota.requests_per_day, daily or settings.quota.requests_per_day),
        requests_left=max(0, min(left)) if left else None,
        reported=_reported(entries, Window(now.timestamp(), seconds[COMPLAINTS])),
        reported_before=_reported(entries, before) if (before := _before(settings, entries)) else {},
        **found,
    )


def windows(settings: StackSettings, elapsed: float) -> dict[str, float]:
    """Return how many seconds each gate looks back: its own window, else the soak, but not beyond the step's start."""
    soak = settings.rollout.soak_hours * 3600 or elapsed
    found = {}
    for gate in registry.GATES:
        own = getattr(settings.gates, gate.name, None)
        hours = own.window_hours if isinstance(own, GateSettings) else None
        found[gate.name] = max(SHORTEST, min(hours * 3600 if hours else soak, elapsed))
    return found


def knows_friday(prometheus: Prometheus, now: float) -> bool:
    """Return whether Friday's own metrics were ever seen: an image of one's own may have none. Raises SilentError."""
    return bool(prometheus.ask(f"count(last_over_time({FRIDAY}[30d]))", now))


def gather(prometheus: Prometheus, scope: Scope) -> dict[str, Any]:
    """Return the part of the `Evidence` that Prometheus knows: each gate's figures over its window, asked all at once.

    A server that does not answer one, or with numbers that cannot be, is named under `silent`. So is one whose clock is
    not this machine's, and, by the gate that needs it, a metric that no part has.
    """
    found: dict[str, Any] = {}
    silent: dict[str, str] = {}
    ask = _each_once(prometheus.ask)
    looks = {gate: Look(ask, scope, Window(scope.now, scope.windows[gate.name])) for gate in registry.GATES}
    asked = [(gate.name, figure, look) for gate, look in looks.items() for figure in gate.figures]
    with ThreadPoolExecutor(max_workers=len(asked) + 2) as pool:
        clock, names = pool.submit(answered, prometheus.ahead), pool.submit(answered, prometheus.names)
        answers = [(gate, figure.name, pool.submit(noting, figure, look)) for gate, figure, look in asked]
        for gate, name, answer in answers:
            try:
                value, queries = answer.result()
            except SilentError as error:
                silent[PROMETHEUS] = str(error)
            except ValueError as error:
                # A number that cannot be, as a negative count. The step is not made then, and the look at it goes on.
                said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
                silent[PROMETHEUS] = f"Prometheus' numbers for {name} make no sense: {said}"
            else:
                gone = missing(queries, names.result())
                silent |= {gate: gone} if gone else {}
                found[name] = None if gone else value
    if other := other_time(clock.result()):
        return {"figures": {}, "silent": {PROMETHEUS: other}}
    return {"figures": found, "silent": silent}


def _each_once(ask: _Ask) -> _Ask:
    """Return `ask` for several threads that asks each question once: gates look at the same counters."""
    asked: dict[tuple[str, float], Future[list[Sample]]] = {}
    asking = Lock()

    def once(expression: str, at: float) -> list[Sample]:
        with asking:
            is_new = (expression, at) not in asked
            answer = asked.setdefault((expression, at), Future())
        if is_new:
            try:
                answer.set_result(ask(expression, at))
            except Exception as error:
                answer.set_exception(error)
        return answer.result()

    return once


def other_time(ahead: float | SilentError) -> str:
    """Return that Prometheus' clock is not this machine's, and the fix; "" when it is, or nobody knows."""
    if isinstance(ahead, SilentError) or abs(ahead) <= _CLOCKS_SECONDS:
        return ""
    apart = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine's"
    return f"the clock of Prometheus' host is {apart}: set both (timedatectl set-ntp true)"


def _from_prometheus(
    asked: Sources, settings: StackSettings, entries: Sequence[Entry], seconds: Mapping[str, float], now: dt.datetime
) -> dict[str, Any]:
    prometheus = Prometheus(asked.prometheus, asked.transport)
    try:
        has_friday = settings.friday.image is None or knows_friday(prometheus, now.timestamp())
        current = Window(now.timestamp(), seconds[errors.GATE.name])
        entry = deployed(entries)
        percentage = entry.percentage if entry else 0
        # Whether this step itself has users without the gateway whom the metrics distinguish from the others.
        has_baseline = percentage == 0 or (has_friday and percentage < 100)
        baseline = current if has_baseline else _before(settings, entries)
        scope = Scope(
            now.timestamp(),
            seconds,
            has_friday,
            baseline,
            users=CHATS if settings.friday.chat_paths else USERS,
            exchanges=_exchanges(settings, entries, now),
        )
        words = {} if baseline is current else {"baseline_is": "previous step"}
        return {"has_friday": has_friday, **words, **gather(prometheus, scope)}
    except SilentError as error:
        return {"silent": {PROMETHEUS: str(error)}}
    finally:
        prometheus.close()


def _reported(entries: Sequence[Entry], window: Window) -> dict[str, dict[str, int]]:
    """Return the ratings that operators entered in a window, by path and rating."""
    ended = dt.datetime.fromtimestamp(window.end, dt.UTC)
    began = ended - dt.timedelta(seconds=window.seconds)
    return ratings_between(entries, began, ended)


def _exchanges(settings: StackSettings, entries: Sequence[Entry], now: dt.datetime) -> tuple[Window, ...]:
    """Return when replicas were exchanged, with the time in which the edge and Prometheus get to know of the last.

    They do not overlap, the oldest comes first.
    """
    later = dt.timedelta(seconds=settings.monitoring.scrape_seconds + _KNOWN_SECONDS)
    found: list[tuple[dt.datetime, dt.datetime]] = []
    for started, ended in sorted((started, min(ended + later, now)) for started, ended in exchanges(entries, now)):
        if found and started <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ended))
        else:
            found.append((started, ended))
    return tuple(Window(ended.timestamp(), (ended - started).total_seconds()) for started, ended in found)


def _before(settings: StackSettings, entries: Sequence[Entry]) -> Window | None:
    """Return the step before, at most as much of it as a soak lasts."""
    earlier = step_before(entries)
    if earlier is None:
        return None
    began, ended = earlier
    soak = settings.rollout.soak_hours * 3600
    lasted = max((ended - began).total_seconds(), SHORTEST)
    return Window(ended.timestamp(), min(lasted, soak) if soak else lasted)
