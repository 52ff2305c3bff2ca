"""A receiver of alerts on a stack's own network: what a team's pager would be told by the stack's Alertmanager."""

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from docker.models.containers import Container

from testing.meanwhile import until
from testing.project import Project

_SERVE = """
import json, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
got, status = [], [200]
class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        content = self.rfile.read(int(self.headers["content-length"]))
        got.append((time.time(), json.loads(content)))
        self.answer(status[0], b"ok")
    def do_PUT(self):
        status[0] = int(self.path.strip("/"))
        self.answer(200, b"ok")
    def do_GET(self):
        self.answer(200, json.dumps(got).encode())
    def answer(self, code, body):
        self.send_response(code)
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""
_ASK = """
import sys, urllib.request
request = urllib.request.Request("http://127.0.0.1:8080/" + sys.argv[2], method=sys.argv[1])
print(urllib.request.urlopen(request, timeout=20).read().decode())
"""


@dataclass(frozen=True)
class Told:
    """One alert as the pager was told of it: when (epoch seconds), whether it fires, its labels and words."""

    at: float
    firing: bool
    labels: dict[str, str]
    annotations: dict[str, str]

    def is_of(self, labels: dict[str, str]) -> bool:
        return labels.items() <= self.labels.items()


class Pager:
    """The receiver; it answers with what `answers` said last."""

    def __init__(self, project: Project, container: Container) -> None:
        self._project, self._container = project, container

    def _ask(self, method: str, path: str = "") -> str:
        return self._project.shell_in(self._container, shlex.join(["python3", "-c", _ASK, method, path]))

    def answers(self, status: int) -> None:
        self._ask("PUT", str(status))

    @property
    def messages(self) -> list[tuple[float, dict[str, Any]]]:
        return [(at, document) for at, document in json.loads(self._ask("GET"))]

    @property
    def told(self) -> list[Told]:
        """Return every alert of every message, the oldest first."""
        return [
            Told(at, each["status"] == "firing", each["labels"], each["annotations"])
            for at, document in self.messages
            for each in document.get("alerts", ())
        ]

    def wait(self, firing: bool, *wanted: dict[str, str], since: float, seconds: float) -> list[Told]:
        """Wait until it was told, after `since`, that alerts with these labels fire, or are over; return that."""
        found: list[Told | None] = []

        def all_told() -> bool:
            told = [each for each in self.told if each.at >= since and each.firing == firing]
            found[:] = [next((each for each in told if each.is_of(labels)), None) for labels in wanted]
            return all(found)

        until(all_told, lambda: f"{wanted} {'firing' if firing else 'over'}; told: {self.told}", seconds, every=1)
        return [each for each in found if each]


@contextmanager
def paged(project: Project) -> Iterator[Pager]:
    """Let the stack's Alertmanager tell a pager; the stack is as it was afterwards."""
    before = project.file.read_text()
    container = project.engine.containers.run(
        project.images()["simulator"],
        ["python3", "-c", _SERVE],
        name=f"friday-test-{project.stack}-pager",
        network=f"friday-{project.stack}-gateway",
        user="10001:10001",
        detach=True,
    )
    try:
        address = f"http://{container.name}:8080/secretpart"
        project.pulumi("config", "set", "--secret", "--path", "notify.webhook.url", address, "-s", project.stack)
        project.fridayctl("up", project.stack)
        yield Pager(project, container)
    finally:
        # The network is the stack's: it could not be removed with somebody on it.
        container.remove(force=True)
        project.file.write_text(before)
        project.fridayctl("up", project.stack)
