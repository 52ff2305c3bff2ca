"""A promotion with Pulumi, the hosts and the metrics played."""

import datetime as dt
import json
from types import SimpleNamespace
from typing import Any

import pytest

from cli.main import main
from ops.checks import answers
from ops.checks.preflight import run as preflight
from ops.commands import promote, restore
from ops.commands.up import UpRequest
from ops.deployment import Deployment
from ops.errors import EXIT_USAGE, OperationError
from ops.rollout.gates.evidence import Evidence
from ops.rollout.gates.gate import AnalysisResult
from ops.rollout.gates.registry import judge
from ops.rollout.history import PERCENTAGE, Entry
from ops.stacks import preview
from ops.stacks.preview import Change
from tests.unit.given import settings
from tests.unit.ops.deployed import Played
from tests.unit.ops.evidence import entry, gate_input, sound

LOCKED = OperationError("another update of t is going on", "wait for it")
BROKEN = OperationError("the update of t failed", "fix it")
REPLACED = [
    Change("create", "docker:index/container:Container", "friday-1-new"),
    Change("delete", "docker:index/container:Container", "friday-1-old"),
]


def ago(hours: float, percentage: int, message: str = "", **given: Any) -> Entry:
    """Return the update that ended `hours` before now."""
    ended = dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours)
    return entry(0, percentage, message, **given).model_copy(update={"started": ended, "ended": ended})


class World:
    """A stack at 10 % whose soak is over; each field may be changed before a promotion."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entries = [ago(50, 10), ago(100, 0)]
        self.file = {PERCENTAGE: "10"}
        self.evidence: Evidence = sound()
        self.seen: AnalysisResult = judge(sound(), gate_input(watching=True))
        self.settings = settings()
        self.update_fails: Exception | None = None
        self.update_begins = True
        self.preflight_fails = False
        self.switch_fails = False
        self.unhealthy: list[str] = []
        self.watched: list[float] = []
        self.moves: list[str] = []
        self.played = played = Played(lambda: self.settings).with_hosts().given(stack=self, switch=self)
        played.entries = lambda: self.entries
        played.everywhere(monkeypatch)
        for name in ("bring_up", "measure", "settings_of", "watch", "write_settings"):
            monkeypatch.setattr(promote, name, getattr(self, name))
        for name in ("deploy", "write_settings"):
            monkeypatch.setattr(restore, name, getattr(self, name))
        monkeypatch.setattr(promote, "sources", lambda *_: None)
        monkeypatch.setattr(preflight, "examine", self.examine)
        monkeypatch.setattr(preview, "look_ahead", lambda *_: REPLACED)
        monkeypatch.setattr(answers, "users_are_safe", lambda *_: self.unhealthy)
        monkeypatch.setattr(answers, "ask_around", lambda *_, **__: [])
        monkeypatch.setattr(answers, "has_no_redis", lambda _: False)

    name = "t"

    def outputs(self) -> dict[str, Any]:
        return {}

    def examine(self, _: Deployment) -> Any:
        def require() -> None:
            if self.preflight_fails:
                raise OperationError("a model is retired", "replace it", EXIT_USAGE)

        return SimpleNamespace(report=SimpleNamespace(require=require))

    def measure(self, *_: Any) -> Evidence:
        return self.evidence

    def settings_of(self, _: Any) -> dict[str, str]:
        return dict(self.file)

    def write_settings(self, _: Any, wanted: dict[str, str], *__: Any) -> None:
        self.file = dict(wanted)

    def bring_up(self, _: Deployment, request: UpRequest) -> None:
        assert request.examined is not None  # what preflight found is not asked twice
        message = request.message
        if self.update_begins:
            result = "failed" if self.update_fails else "succeeded"
            self.entries.insert(0, ago(0, int(self.file[PERCENTAGE]), message, result=result))
        if self.update_fails:
            raise self.update_fails

    def deploy(self, _: Deployment, message: str) -> Any:
        self.moves.append("deploy")
        self.entries.insert(0, ago(0, int(self.file[PERCENTAGE]), message))
        return SimpleNamespace(outputs={"fridayUrl": "http://friday"})

    def watch(self, _: Any, __: Any, entries: list[Entry], question: Any, seconds: float) -> AnalysisResult:
        assert entries[0].percentage == question.current
        self.watched.append(seconds)
        return self.seen

    def close(self) -> None:
        self._move("close")

    def open(self) -> None:
        self._move("open")

    def _move(self, move: str) -> None:
        if self.switch_fails and move == "close":
            raise OperationError("no edge runs", "look")
        self.moves.append(move)


def run(*arguments: str) -> int:
    return main(["promote", "t", "--no-complaints", "anna", "--yes", *arguments])


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found
