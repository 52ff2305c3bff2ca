"""What users of an image that ignores the stop signal notice of changes: by `up`, and by other tools beside it."""

import shutil
from collections.abc import Callable
from functools import partial

from benchmarks import compose, kamal_proxy
from benchmarks.figures import Figure
from benchmarks.http_client import Request
from benchmarks.load_during import LoadDuring, chats_and_sockets, failed_requests
from benchmarks.second_image import second_image
from benchmarks.test_stack import TestStack
from benchmarks.web_sockets import Held
from testing import stock_image
from testing.meanwhile import timed, until_answered
from testing.project import Project

RATE = 5.0
"""Chats a second; each takes the model MODEL_MS."""
MODEL_MS = 3000
SOCKETS = 20
LOW, HIGH = 50, 60
USERS = 40
"""All below both percentages: the stand-in's direct path leads to the real OpenRouter, which is not asked here."""
_ORIGIN = {"Origin": stock_image.ORIGIN}
_READY_SECONDS = 90


_Seen = tuple[LoadDuring, Held]


def own_image(stack: TestStack) -> list[Figure]:
    """Change percentage and image of the stand-in for the real Friday AI (tests/stock_friday), under load."""
    project = stack.project
    image = stock_image.ensure(lambda *_: None)
    with second_image(project, image) as other, project.configured(**_settings(project, image)):
        stack.bring_up()
        seen = [_by_up(stack, rolloutPercentage=percentage) for percentage in (HIGH, LOW)]
        seen += [_by_up(stack, friday={**project.settings["friday"], "image": name}) for name in (other, image)]
        figures = [*_figures("percentage and image by up: ", 0, seen), *_by_compose(project)]
        figures += _by_kamal_proxy(project)
        stack.take_down()
    return figures


def _settings(project: Project, image: str) -> dict[str, object]:
    """Return the stack file of the stand-in. No limit of its own counts: all users here have one address."""
    friday = {
        **project.settings["friday"],
        "image": image,
        "healthPath": "/",
        "probeClient": "node",
        "probeHeaders": _ORIGIN,
        "writable": [{"path": "/logs", "kind": "tmpfs", "sizeMb": 16}],
    }
    friday["environment"] |= {"FORCE_MODEL_ROUTING": "true", "STOCK_API_LIMIT": "1000000"}
    simulator = {**project.settings["simulator"], "latencyMs": MODEL_MS}
    return {"friday": friday, "simulator": simulator, "rolloutPercentage": LOW}


def _by_up(stack: TestStack, **changes: object) -> _Seen:
    stack.project.configure(changes)
    return _under_load(stack.project.url, stack.bring_up)


def _under_load(url: str, action: Callable[[], float]) -> _Seen:
    return chats_and_sockets(url, action, RATE, SOCKETS, _chat, _ORIGIN)


def _chat(number: int) -> Request:
    path, headers, body = stock_image.chat(1 + number % USERS)  # its user 0 is nobody, and goes by chance
    return Request(path, body, headers)


def _figures(what: str, target: float | None, seen: list[_Seen]) -> list[Figure]:
    closed, refused = (sum(getattr(held, name) for _, held in seen) for name in ("closed", "refused"))
    note = f"of {SOCKETS} in each of {len(seen)} changes; {refused} times not let in again at once"
    return [
        failed_requests(f"{what}failed chats", target, [load for load, _ in seen]),
        Figure(f"{what}web sockets closed", None, "sockets", (closed,), note),
        Figure(f"{what}longest time without a web socket", None, "s", (max(held.away for _, held in seen),)),
        Figure(f"{what}the whole command", None, "s", tuple(load.seconds for load, _ in seen)),
    ]


def _by_compose(project: Project) -> list[Figure]:
    what = "docker-compose up -d: "
    if not shutil.which("docker-compose"):
        return [_left_out(what, "apt-get install docker-compose installs it")]
    with compose.running(project, LOW, "/", _ORIGIN) as (url, change):
        return _figures(what, None, _both_ways(url, change))


def _by_kamal_proxy(project: Project) -> list[Figure]:
    what = "kamal-proxy deploy: "
    binary = shutil.which("kamal-proxy")
    if not binary:
        return [_left_out(what, "kamal-proxy is not on PATH")]
    with kamal_proxy.running(project, binary, LOW, "/") as (url, change):
        return _figures(what, None, _both_ways(url, change))


def _left_out(what: str, why: str) -> Figure:
    return Figure(f"{what}rounds", None, "rounds", (0,), f"not measured: {why}")


def _both_ways(url: str, change: Callable[[int], float]) -> list[_Seen]:
    """Change the percentage there and back, by another tool; its seconds last until it answers again."""

    def changed(percentage: int) -> float:
        return change(percentage) + timed(lambda: until_answered(url, _READY_SECONDS, headers=_ORIGIN))

    return [_under_load(url, partial(changed, percentage)) for percentage in (HIGH, LOW)]
