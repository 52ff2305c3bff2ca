"""Looks at the host itself: is its clock in step, has its disk room for the next images."""

import time
from collections.abc import Mapping
from typing import Any

from ops.checks.report import Check, compared
from ops.hosts.machine import MOST_SECONDS_APART, seconds_apart
from ops.hosts.testinfra_host import TestHost

# A new version of every image is about half of it, and is unpacked beside the old.
LEAST_FREE_GB = 2.0


def checks(place: TestHost) -> list[Check]:
    """Ask the daemon for its time and where it keeps its data, and the host for the room there."""
    before = time.time()
    info: Mapping[str, Any] = place.docker_json("info", "--format", "{{json .}}")
    after = time.time()
    return [_clock(str(info["SystemTime"]), before, after), _disk(place, str(info["DockerRootDir"]))]


def _clock(reported: str, before: float, after: float) -> Check:
    apart = abs(seconds_apart(reported, before, after))
    problem = f"it is {apart:.1f} s from this machine's; let chrony or systemd-timesyncd keep both"
    name = f"clock in step (within {MOST_SECONDS_APART:g} s)"
    return compared("host", name, (problem,) if apart > MOST_SECONDS_APART else ())


def _disk(place: TestHost, folder: str) -> Check:
    name = f"{LEAST_FREE_GB:g} GB free where Docker keeps its data"
    if not place.runs_commands:
        return compared("host", name, skipped="over tcp:// only the daemon is reached")
    code, text = place.run("df", "-Pk", folder)
    if code:
        return compared("host", name, skipped=text)
    free = int(text.splitlines()[-1].split()[3]) * 1024 / 1e9
    problem = f"{folder} has {free:.1f} GB; docker system df shows what can go"
    return compared("host", name, (problem,) if free < LEAST_FREE_GB else ())
