"""The form in which clients get what a model said: OpenAI's, under a name that may be asked again.

What OpenRouter adds is kept where LiteLLM's clients look for it: thoughts as `reasoning_content`, the rest in
`provider_specific_fields`.
"""

import time
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from typing import Any

from gateway.answers import Event

_ANSWER = frozenset({"id", "created", "system_fingerprint", "service_tier", "usage", "provider"})
_MESSAGE = frozenset({"role", "content", "refusal", "tool_calls", "function_call", "annotations", "reasoning_content"})
_CHOICE = frozenset({"index", "finish_reason", "logprobs", "message"})


def whole(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a plain answer; `document` passed `answers.check_plain`, `name` is what clients may ask again."""
    return {
        "id": "",
        "created": int(time.time()),
        **{key: value for key, value in document.items() if key in _ANSWER},
        "model": name,
        "object": "chat.completion",
        "choices": [_choice(number, choice) for number, choice in enumerate(document["choices"])],
    }


def _choice(number: int, choice: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "finish_reason": choice.get("finish_reason") or "stop",
        "index": choice.get("index", number),
        "message": _message(choice["message"]),
        "logprobs": choice.get("logprobs"),
        **_others(choice, _CHOICE),
    }


def _message(said: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: said[name] for name in said.keys() & _MESSAGE if said[name] is not None}
    thought = said.get("reasoning_content") or said.get("reasoning")
    shown = {"reasoning_content": thought} if thought else {}
    return {"role": "assistant", "content": None, **known, **shown, **_others(said, _MESSAGE)}


def _others(holder: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    others = {name: value for name, value in holder.items() if name not in known and value is not None}
    return {"provider_specific_fields": others} if others else {}


async def chunks(events: AsyncIterable[Event], name: str, *, with_usage: bool) -> AsyncIterator[dict[str, Any]]:
    """Yield the chunks of a stream: the role once, the finish reason once, and the usage last if it was asked for.

    Raises what `events` raises.
    """
    usage: dict[str, Any] | None = None
    head: dict[str, Any] = {}
    finish: str | None = None
    async for event in events:
        said = event.said
        usage = usage_of(said) or usage
        delta = {key: value for key, value in event.delta.items() if value is not None}
        if head:
            delta.pop("role", None)
        else:
            head = {"id": said["id"], "object": "chat.completion.chunk", "created": said["created"], "model": name}
            delta = {"role": "assistant", **delta}
        if delta.get("content") == "" and len(delta) == 1:
            del delta["content"]
        ends = event.finish if event.finish and not finish else None
        if not delta and not ends:
            continue
        choice: dict[str, Any] = {"index": 0, "delta": delta}
        if event.logprobs is not None:
            choice["logprobs"] = event.logprobs
        if ends:
            choice["finish_reason"] = finish = ends
        yield {**head, "choices": [choice]}
    if with_usage and usage is not None:
        yield {**head, "choices": [{"index": 0, "delta": {}}], "usage": usage}


def usage_of(said: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what an answer or an event says about its tokens and its cost."""
    usage = said.get("usage")
    return usage if isinstance(usage, dict) else None
