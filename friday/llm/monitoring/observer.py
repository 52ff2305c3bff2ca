"""Follows one call from start to end and writes its metrics and its one log line."""

import asyncio
import time

from friday.llm.caller import Caller
from friday.llm.constants import Path
from friday.llm.errors import LlmError
from friday.llm.monitoring.logger import UserHasher, logger
from friday.llm.monitoring.metrics import LlmMetrics
from friday.llm.types import InvokeResult, Route


class CallRecord:
    """One call. The first of `succeed` and `fail` counts; later calls of them are ignored."""

    def __init__(self, caller: Caller, path: Path, metrics: LlmMetrics, hash_user: UserHasher) -> None:
        self.path = path
        self.model: str | None = None
        """The model that is being asked, or the one that answers once that is known."""
        self._caller = caller
        self._reason: str | None = None
        self._cause: str | None = None
        self._metrics = metrics
        self._hash_user = hash_user
        self._started = time.perf_counter()
        self._open = True
        metrics.in_flight.inc()

    @property
    def seconds(self) -> float:
        """Time since the call began."""
        return time.perf_counter() - self._started

    def attempt_failed(self, path: Path, error: LlmError) -> None:
        """Count an attempt on `path` that gave no answer."""
        self._metrics.errors.labels(path, self._asked, self._caller.feature, error.kind).inc()

    def fell_back(self, reason: str, cause: LlmError | None = None) -> None:
        """Count a fallback: the gateway gave no answer, the direct path is next. The log line has the cause's text."""
        self.path, self._reason, self._cause = Path.FALLBACK, reason, str(cause) if cause else None
        self._metrics.fallbacks.labels(self._asked, self._caller.feature, reason).inc()

    def first_token(self, model: str) -> None:
        """Count the time to the first text of a stream."""
        self.model = model
        label = self._metrics.model_label(model, answered=True)
        self._metrics.first_token.labels(self.path, label, self._caller.feature).observe(self.seconds)

    @property
    def _asked(self) -> str:
        return self._metrics.model_label(self.model, answered=False)

    @property
    def route(self) -> Route:
        """How the call was answered."""
        return Route(path=self.path, request_id=self._caller.request_id, reason=self._reason)

    def succeed(self, result: InvokeResult) -> None:
        """Count and log a whole answer."""
        if self._close():
            self._metrics.succeeded(self.path, self._caller.feature, result, self.seconds)
            self._log("ok", model=result.model, tokens=result.usage.total_tokens if result.usage else None)

    def fail(self, error: BaseException) -> None:
        """Count and log a call that ended without a whole answer."""
        kind = error.kind if isinstance(error, LlmError) else "cancelled" if _cancelled(error) else "internal"
        if self._close():
            self._metrics.failed(self.path, self._caller.feature, self.model, kind, self.seconds)
            # Our own errors quote neither prompt nor answer; the text of others might.
            text = str(error) if isinstance(error, LlmError) else type(error).__name__
            self._log(kind, model=self.model, error=text)

    def _close(self) -> bool:
        was_open, self._open = self._open, False
        if was_open:
            self._metrics.in_flight.dec()
        return was_open

    def _log(self, outcome: str, **more: object) -> None:
        data = {
            "request_id": self._caller.request_id,
            "path": self.path,
            "feature": self._caller.feature,
            "outcome": outcome,
            "ms": round(self.seconds * 1000, 1),
            "user": self._hash_user(self._caller.user_id),
            "reason": self._reason,
            "cause": self._cause,
            **more,
        }
        logger.info("llm_call", extra={"data": {key: value for key, value in data.items() if value is not None}})


def _cancelled(error: BaseException) -> bool:
    return isinstance(error, asyncio.CancelledError | GeneratorExit)
