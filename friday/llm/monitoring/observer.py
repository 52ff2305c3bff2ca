"""Follows one call from start to end and writes its metrics and its one log line."""

import asyncio
import time

from friday.llm.constants import Path
from friday.llm.errors import LlmError
from friday.llm.monitoring.logger import UserHasher, logger
from friday.llm.monitoring.metrics import LlmMetrics
from friday.llm.quality import examine
from friday.llm.types import Caller, InvokeParams, InvokeResult, Route


class CallRecord:
    """One call. The first of `succeed` and `fail` counts; later calls of them are ignored."""

    def __init__(self, caller: Caller, path: Path, metrics: LlmMetrics, hash_user: UserHasher) -> None:
        self.caller = caller
        self.path = path
        self.model: str | None = None
        """The model that is being asked, or the one that answers once that is known."""
        self.compared: InvokeParams | None = None
        """The request of a tester whose answer is to be compared with those of the other path."""
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

    @property
    def route(self) -> Route:
        """How the call was answered."""
        return Route(path=self.path, request_id=self.caller.request_id, reason=self._reason)

    def attempt_failed(self, path: Path, error: LlmError) -> None:
        """Count an attempt on `path` that gave no answer."""
        self._metrics.errors.labels(path, *self._labels(), error.kind).inc()

    def fell_back(self, reason: str, cause: LlmError | None = None) -> None:
        """Count a fallback: the gateway gave no answer, the direct path is next. The log line has the cause's text."""
        self.path, self._reason, self._cause = Path.FALLBACK, reason, str(cause) if cause else None
        self._metrics.fallbacks.labels(*self._labels(), reason).inc()

    def first_token(self, model: str) -> None:
        """Count the time to the first text of a stream."""
        self.model = model
        self._metrics.first_token.labels(self.path, *self._labels(answered=True)).observe(self.seconds)

    def succeed(self, result: InvokeResult) -> None:
        """Count and log a whole answer with its tokens and cost (USD)."""
        self.model, usage = result.model, result.usage
        first = self._close("ok", answered=True, tokens=usage.total_tokens if usage else None)
        if first and usage:
            labels = (self.path, *self._labels(answered=True))
            self._metrics.tokens.labels(*labels, "prompt").inc(usage.prompt_tokens)
            self._metrics.tokens.labels(*labels, "completion").inc(usage.completion_tokens)
            self._metrics.cost.labels(*labels).inc(usage.cost or 0)
        if first and self.compared:
            self._compare(self.compared, result)

    def _compare(self, request: InvokeParams, result: InvokeResult) -> None:
        """Count what can be counted of an answer; its text goes nowhere."""
        if not result.text:
            return
        self._metrics.length.labels(self.path).observe(len(result.text))
        for check, passed in examine(self.caller.feature, request, result).items():
            self._metrics.checks.labels(self.path, check, "true" if passed else "false").inc()

    def fail(self, error: BaseException) -> None:
        """Count and log a call that ended without a whole answer."""
        if isinstance(error, LlmError):
            self._close(error.kind, error=str(error))
        else:
            # Our own errors quote neither prompt nor answer; the text of others might.
            cancelled = isinstance(error, asyncio.CancelledError | GeneratorExit)
            self._close("cancelled" if cancelled else "internal", error=type(error).__name__)

    def _labels(self, *, answered: bool = False) -> tuple[str, str]:
        """Return the values of the labels model and feature."""
        return self._metrics.model_label(self.model, answered=answered), self.caller.feature

    def _close(self, outcome: str, *, answered: bool = False, **more: object) -> bool:
        """Count and log the outcome, unless that was done before. Return whether it was the first."""
        if not self._open:
            return False
        self._open = False
        labels = (self.path, *self._labels(answered=answered))
        self._metrics.in_flight.dec()
        self._metrics.requests.labels(*labels, outcome).inc()
        self._metrics.latency.labels(*labels).observe(self.seconds)
        data = {
            "request_id": self.caller.request_id,
            "path": self.path,
            "feature": self.caller.feature,
            "outcome": outcome,
            "ms": round(self.seconds * 1000, 1),
            "user": self._hash_user(self.caller.user_id),
            "reason": self._reason,
            "cause": self._cause,
            "model": self.model,
            **more,
        }
        logger.info("llm_call", extra={"data": {key: value for key, value in data.items() if value is not None}})
        return True
