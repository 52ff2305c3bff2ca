"""What users notice while the percentage changes."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from benchmarks.chat import PERCENTAGE_HEADER, chat
from benchmarks.figures import Figure
from benchmarks.http_client import Request
from benchmarks.load import Plan, Record, run, summarise
from benchmarks.stage import Stage

RATE = 50.0
"""Requests a second."""
PERCENTAGES = (60, 50, 60)
BEFORE_SECONDS = 3.0
AFTER_SECONDS = 3.0
MOST_SECONDS = 120.0


@dataclass(frozen=True)
class Change:
    """One change. `command` and `last_old` in seconds from the command's start; `worst_lag` in milliseconds."""

    requests: int
    failures: dict[str, int]
    command: float
    last_old: float
    worst_lag: float


def measure(stage: Stage) -> list[Figure]:
    """Change the percentage to each of PERCENTAGES while users 0 to 99 ask in turn, half of them by the gateway."""
    changes = [asyncio.run(_change(stage, percentage, seed)) for seed, percentage in enumerate(PERCENTAGES)]
    failures: dict[str, int] = {}
    for change in changes:
        for error, count in change.failures.items():
            failures[error] = failures.get(error, 0) + count
    note = f"of {sum(change.requests for change in changes)} requests"
    note += "".join(f", {count} {error}" for error, count in failures.items())
    late = f"the load generator was at most {max(change.worst_lag for change in changes):.0f} ms late"
    return [
        Figure("changed percentage: failed requests", 0, "requests", (sum(failures.values()),), note),
        Figure("changed percentage: last answer of an old replica", 5, "s", tuple(c.last_old for c in changes), late),
        Figure("changed percentage: the whole command", None, "s", tuple(c.command for c in changes)),
    ]


async def _change(stage: Stage, percentage: int, seed: int) -> Change:
    old = str(stage.project.settings["rolloutPercentage"])
    stage.project.configure({"rolloutPercentage": percentage})
    over = asyncio.Event()
    plan = Plan(
        stage.project.url,
        RATE,
        request=chat_of_number,
        seconds=MOST_SECONDS,
        seed=seed,
        picked_headers=(PERCENTAGE_HEADER,),
        until=over.is_set,
    )
    begun = time.perf_counter()
    load = asyncio.create_task(run(plan))
    try:
        await asyncio.sleep(BEFORE_SECONDS)
        command_at = time.perf_counter() - begun
        command = await asyncio.to_thread(stage.bring_up)
        await asyncio.sleep(AFTER_SECONDS)
    finally:
        over.set()
        records = await load
    return evaluate(records, old, str(percentage), command_at, command)


def chat_of_number(number: int) -> Request:
    """Return the question of user `number % 100`."""
    return chat(number % 100)


def evaluate(records: list[Record], old: str, new: str, command_at: float, command: float) -> Change:
    """Return the figures of a change; RuntimeError when the load did not meet both an old and a new replica.

    `command_at` is when the command began, in seconds from the beginning of the run; `command` how long it took.
    """
    ends = {old: 0.0, new: 0.0}
    for record in records:
        percentage = record.headers.get(PERCENTAGE_HEADER, "")
        if percentage in ends:
            ends[percentage] = max(ends[percentage], record.start + record.duration)
    if not all(ends.values()):
        raise RuntimeError(f"no answer of {' or '.join(p for p, end in ends.items() if not end)} % was seen")
    summary = summarise(records)
    return Change(len(records), summary.errors, command, ends[old] - command_at, summary.worst_lag_ms)
