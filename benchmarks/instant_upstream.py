"""An upstream that answers at once, so that what a gateway adds is not lost in what the simulator takes.

It takes a fraction of the simulator's processor time and judges nothing. A run asks for what it wants in the question:
`wait 800` (milliseconds before the answer), `events 200` (of a stream, each in a write of its own), `every 5`
(milliseconds between them).
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from benchmarks.upstream import module_process
from testing.ports import free_ports

PATH = "/api/v1"
_START_SECONDS = 120.0
_USAGE = {"prompt_tokens": 4, "completion_tokens": 8, "total_tokens": 12, "cost": 0}


@contextmanager
def instant_upstream() -> Iterator[int]:
    """Serve in a process of its own; yields its port on 127.0.0.1. AssertionError when it does not start."""
    port = free_ports(1)[0]
    with module_process("benchmarks.instant_upstream", f"http://127.0.0.1:{port}/", _START_SECONDS, [str(port)]):
        yield port


def question(**wanted: int) -> str:
    """Return the question that asks for what a run wants, see the module's words."""
    return " ".join(f"{name} {value}" for name, value in wanted.items()) or "hello"


def application() -> web.Application:
    """Return the upstream."""
    app = web.Application()
    app.router.add_get("/", _healthy)
    app.router.add_post(f"{PATH}/chat/completions", _chat)
    return app


async def _healthy(_: web.Request) -> web.Response:
    return web.Response(text="ok")


async def _chat(request: web.Request) -> web.StreamResponse:
    body = json.loads(await request.read())
    words = str(body["messages"][-1]["content"]).split()
    wanted = {name: int(value) for name, value in zip(words[::2], words[1::2], strict=False)}
    if "wait" in wanted:
        await asyncio.sleep(wanted["wait"] / 1000)
    if body.get("stream"):
        return await _stream(request, body["model"], wanted.get("events", 8), wanted.get("every", 0) / 1000)
    message = {"index": 0, "message": {"role": "assistant", "content": "All is well here."}, "finish_reason": "stop"}
    return web.json_response(_completion(body["model"], "chat.completion", [message], usage=_USAGE))


async def _stream(request: web.Request, model: str, events: int, every: float) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await answer.prepare(request)
    for number in range(events):
        last = number == events - 1
        delta = {"role": "assistant", "content": "" if last else f"word{number} "}
        choice = {"index": 0, "delta": delta, "finish_reason": "stop" if last else None}
        await answer.write(_event(_completion(model, "chat.completion.chunk", [choice])))
        await asyncio.sleep(every)
    await answer.write(_event(_completion(model, "chat.completion.chunk", [], usage=_USAGE)) + b"data: [DONE]\n\n")
    return answer


def _completion(model: str, kind: str, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"id": "gen-1", "object": kind, "created": 1, "model": model, "choices": choices, **more}


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


if __name__ == "__main__":
    web.run_app(application(), host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
