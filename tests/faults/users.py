"""Users of a deployed stack, what they see, and what the simulator saw meanwhile."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from components.catalogue import Catalogue, default_models
from components.settings.parts import FridaySettings
from friday.llm import errors
from simulator import answers

CATALOGUE = Catalogue(models=default_models())
DIRECT_MODEL = FridaySettings().direct_model
IDS = {model.name: model.id for model in CATALOGUE.models}
ERRORS: Mapping[str, type[errors.LlmError]] = {
    error.kind: error
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, errors.LlmError)
}
GATEWAY_USER, DIRECT_USER = 7, 77
"""On each side of 50 %."""
QUESTION = "What is a lease?"


@dataclass(frozen=True)
class Ask:
    """One question. `model` is the short name of the gateway user's first model; the direct path has its own."""

    user: int
    stream: bool
    model: str | None = None
    request_id: str = field(default_factory=lambda: uuid4().hex)

    @property
    def body(self) -> dict[str, Any]:
        asked = {"user_id": self.user, "message": QUESTION, "stream": self.stream}
        return asked | ({"model": self.model} if self.model else {})


@dataclass(frozen=True)
class Reply:
    """What came back: `text` is what a user was shown, `done` whether he was told that it is all of it."""

    ask: Ask
    status: int
    headers: Mapping[str, str]
    text: str
    done: bool
    error: dict[str, Any] | None
    raw: str

    @classmethod
    def of(cls, ask: Ask, response: httpx.Response) -> "Reply":
        streamed = response.headers["content-type"].startswith("text/event-stream")
        events = list(_events(response.text)) if streamed else [response.json()]
        return cls(
            ask,
            response.status_code,
            response.headers,
            text="".join(event.get("delta") or event.get("answer") or "" for event in events),
            done="done" in events[-1] if streamed else "answer" in events[-1],
            error=next((event["error"] for event in events if "error" in event), None),
            raw=response.text,
        )

    @property
    def path(self) -> str | None:
        return self.headers.get("x-friday-path")

    @property
    def model(self) -> str | None:
        return self.headers.get("x-friday-model")

    @property
    def answered(self) -> tuple[int, str | None, str | None]:
        """Status, path and model of a whole answer; fails for anything less, and for another model's words."""
        assert (self.error, self.done) == (None, True), self.raw
        assert self.text == words_of(self.model), self.raw
        return self.status, self.path, self.model

    def check_error(self, kind: str) -> None:
        """Fail unless this is the documented error of that kind, as JSON or after a part of one model's answer."""
        assert self.error is not None, self.raw
        assert (self.error["kind"], self.done) == (kind, False), self.raw
        assert self.error["advice"] == ERRORS[kind].advice
        assert self.error["request_id"] == self.headers["x-request-id"] == self.ask.request_id
        assert "PRIVATE" not in self.raw
        if kind != "stream_broken":
            assert (self.status, self.text) == (ERRORS[kind].http_status, ""), self.raw
            return
        assert self.status == 200
        assert self.raw.rstrip().rpartition("\n\n")[2].startswith("event: error\n"), self.raw
        assert self.text.strip()
        assert words_of(self.model).startswith(self.text), "what was shown should be one model's"


def _events(text: str) -> Iterable[dict[str, Any]]:
    return (json.loads(line.removeprefix("data:")) for line in text.splitlines() if line.startswith("data:"))


def words_of(model: str | None) -> str:
    """What the simulated model says, whole."""
    request = answers.ChatRequest(messages=[{"role": "user", "content": QUESTION}])
    return answers.answer(request, model or "").content or ""


@dataclass(frozen=True)
class Call:
    """A request that the simulator got."""

    account: str
    stream: bool
    models: tuple[str, ...]
    cost_usd: float
    outcome: str

    @classmethod
    def of(cls, record: dict[str, Any]) -> "Call":
        models = tuple(record["models"])
        return cls(record["account"], record["stream"], models, record["cost_usd"], record["outcome"])


def models_asked(calls: Iterable[Call], account: str, *, stream: bool | None = None) -> list[str]:
    """The models that an account asked for, in order."""
    return [call.models[0] for call in calls if call.account == account and stream in (None, call.stream)]
