"""One answered request in OpenRouter's form: the completion object, its chunks, and its usage."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

from simulator.admission import Admission
from simulator.answers import Answer
from simulator.errors import PROVIDER_ERROR
from simulator.faults import FinishError
from simulator.thoughts import NONE, Thoughts

DONE = b"data: [DONE]\n\n"
PROCESSING = b": OPENROUTER PROCESSING\n\n"
_NATIVE_REASONS = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "TOOL_CALLS"}


def event(data: dict[str, Any]) -> bytes:
    """Return one SSE data event."""
    return b"data: " + json.dumps(data, separators=(",", ":")).encode() + b"\n\n"


def dollars(cost: Decimal) -> float:
    """Return a cost as JSON number; exactly 0 is an integer."""
    return float(cost) if cost else 0


@dataclass(frozen=True)
class Reply:
    """An answer to an admitted request; `created` in epoch seconds."""

    id: str
    created: int
    to: Admission
    answer: Answer
    thoughts: Thoughts = NONE

    @property
    def tokens(self) -> int:
        """Return the completion tokens: those of the thoughts too."""
        return self.answer.tokens + self.thoughts.steps

    @property
    def cost(self) -> Decimal:
        """Return its price in dollars."""
        return self.to.cost(self.tokens)

    def usage(self) -> dict[str, Any]:
        """Return the usage, which is part of every answer."""
        completion = self.tokens
        return {
            "prompt_tokens": self.to.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": self.to.prompt_tokens + completion,
            "cost": dollars(self.cost),
            "is_byok": False,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "cost_details": {"upstream_inference_cost": None},
            "completion_tokens_details": {"reasoning_tokens": self.thoughts.steps},
        }

    def completion(self, choices: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        """Return the body of a plain answer; `choices` replaces the regular one."""
        return {
            **self._head("chat.completion"),
            "choices": [self.choice()] if choices is None else choices,
            "usage": self.usage(),
        }

    def choice(self) -> dict[str, Any]:
        """Return the regular choice of a plain answer."""
        message: dict[str, Any] = {
            "role": "assistant",
            "content": self.answer.content,
            "refusal": None,
            "reasoning": None,
            **self.thoughts.whole(),
        }
        if self.answer.tool_calls:
            message["tool_calls"] = self.answer.tool_calls
        if self.to.search_results:
            message["annotations"] = [_citation(number) for number in range(self.to.search_results)]
        return {"index": 0, "logprobs": None, **self._reasons(), "message": message}

    def stump(self, fault: FinishError) -> dict[str, Any]:
        """Return the choice of a plain answer that ended with an error after some tokens."""
        said = {"role": "assistant", "content": "".join(self.answer.pieces[: fault.after_tokens])}
        return {"index": 0, "logprobs": None, "message": said, **self.broken(fault)}

    def broken(self, fault: FinishError) -> dict[str, Any]:
        """Return how a choice says that it ended with an error."""
        words = {"error": self.provider_error()} if fault.words else {}
        return {"finish_reason": fault.reason, "native_finish_reason": "error", **words}

    def provider_error(self) -> dict[str, Any]:
        """Return an error of the provider as it stands in a body."""
        metadata = {"provider_name": self.to.model.provider_name, "raw": "upstream error"}
        return {"message": PROVIDER_ERROR, "code": 502, "metadata": metadata}

    def chunk(self, choices: list[dict[str, Any]], **more: Any) -> bytes:
        """Return one event of a stream."""
        return event({**self._head("chat.completion.chunk"), "choices": choices, **more})

    def thought_events(self) -> Iterator[bytes]:
        """Yield an event for each piece of the thoughts; a comment where the caller does not want to see them."""
        for number in range(self.thoughts.steps):
            shown = self.thoughts.piece(number)
            delta = {"role": "assistant", "content": "", **shown}
            choice = {"index": 0, "delta": delta, "finish_reason": None, "native_finish_reason": None}
            yield self.chunk([choice]) if shown else PROCESSING

    def token_events(self) -> Iterator[bytes]:
        """Yield an event for each token (or tool call)."""
        # Only the token differs between events, so the rest is encoded once.
        head = json.dumps(self._head("chat.completion.chunk"), separators=(",", ":"))[:-1]
        before = f'data: {head},"choices":[{{"index":0,"delta":{{"role":"assistant",'
        after = '},"finish_reason":null,"native_finish_reason":null,"logprobs":null}]}\n\n'
        for call in self.answer.tool_calls:
            yield f'{before}"content":null,"tool_calls":{json.dumps([call])}{after}'.encode()
        for piece in self.answer.pieces:
            yield f'{before}"content":{json.dumps(piece)}{after}'.encode()

    def closing_events(self) -> Iterator[bytes]:
        """Yield the end of a complete stream: finish reason, usage with empty choices, `[DONE]`."""
        delta = {"role": "assistant", "content": ""}
        yield self.chunk([{"index": 0, "delta": delta, **self._reasons(), "logprobs": None}])
        yield self.chunk([], usage=self.usage())
        yield DONE

    def _reasons(self) -> dict[str, str]:
        reason = self.answer.finish_reason
        return {"finish_reason": reason, "native_finish_reason": _NATIVE_REASONS[reason]}

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "provider": self.to.model.provider_name,
            "model": self.to.model.id,
            "object": kind,
            "created": self.created,
            "system_fingerprint": f"fp_{sha256(self.to.model.id.encode()).hexdigest()[:10]}",
        }

    def generation(self, *, streamed: bool, latency_ms: float) -> dict[str, Any]:
        """Return the content of `GET /generation` for this answer."""
        completion = self.tokens
        return {
            "id": self.id,
            "upstream_id": None,
            "total_cost": dollars(self.cost),
            "usage": dollars(self.cost),
            "cache_discount": None,
            "upstream_inference_cost": 0,
            "created_at": self.created,
            "model": self.to.model.id,
            "provider_name": self.to.model.provider_name,
            "streamed": streamed,
            "cancelled": False,
            "is_byok": False,
            "latency": round(latency_ms),
            "generation_time": round(latency_ms),
            **self._reasons(),
            "tokens_prompt": self.to.prompt_tokens,
            "tokens_completion": completion,
            "native_tokens_prompt": self.to.prompt_tokens,
            "native_tokens_completion": completion,
            "native_tokens_reasoning": self.thoughts.steps,
            "native_tokens_cached": 0,
            "num_search_results": self.to.search_results or None,
        }


def _citation(number: int) -> dict[str, Any]:
    return {
        "type": "url_citation",
        "url_citation": {
            "url": f"https://example.com/result-{number + 1}",
            "title": f"Simulated result {number + 1}",
            "content": "",
            "start_index": 0,
            "end_index": 0,
        },
    }
