"""A small OpenRouter that remembers every request and fails as told: what a model says is not the point here."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

UPSTREAM_WORDS = "secret upstream words"
USER_ID = "user_2abcSECRET"
CHUNKS = 6
CHUNK_SECONDS = 0.2


POLICY = "No endpoints found matching your data policy (Free model publication)."
ERRORS: dict[str, dict[str, Any]] = {
    "account-spent": {"code": 429, "message": "Rate limit exceeded: free-models-per-day. "},
    "data-policy": {"code": 404, "message": POLICY},
    "no-vision": {
        "code": 404,
        "message": "No endpoints found that support image input",
        "metadata": {"failed_routing_step": "modality"},
    },
    "closed": {"code": 403, "message": "This model is only available on other sites"},
    "bad-name": {
        "code": 400,
        "message": "Provider returned error",
        "metadata": {"raw": f"Invalid 'tools[0].function.name': {UPSTREAM_WORDS}", "provider_name": "One"},
    },
}
ANSWERS: dict[str, tuple[str, str]] = {"empty": ("", "stop"), "finish-error": (UPSTREAM_WORDS, "error")}
"""The text and the finish reason of an answer with status 200."""


@dataclass
class Received:
    """One request as it arrived."""

    path: str
    authorization: str
    body: dict[str, Any]


@dataclass
class Upstream:
    """`faults` maps a model id, or *, to: hang, drip, a key of ERRORS or ANSWERS, or an HTTP status as text; for
    streams also error-in-stream, half (a clean end without finish reason), unreadable-event, comments (for ever),
    thinks (for 3 s, then the text) or finish-error-midway."""

    faults: dict[str, str] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.upstream = self
        self._stopping = threading.Event()
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def models(self) -> list[str]:
        return [str(request.body.get("model")) for request in self.received]

    def reset(self, **faults: str) -> None:
        self.faults = faults
        self.received.clear()

    def pause(self, seconds: float) -> None:
        self._stopping.wait(seconds)

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def close(self) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    upstream: Upstream


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the tests' output clean."""

    def do_GET(self) -> None:
        self._note({})
        self._json(200, {"data": []})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        body = json.loads(raw) if raw.startswith(b"{") else {}
        self._note(body)
        faults = self.server.upstream.faults
        fault = faults.get(str(body.get("model")), faults.get("*", ""))
        if fault == "hang":
            self.server.upstream.pause(20)
            self.close_connection = True
        elif fault.isdecimal():
            error = {"code": int(fault), "message": UPSTREAM_WORDS + str(body.get("messages"))}
            self._json(int(fault), {"error": error, "user_id": USER_ID})
        elif fault in ERRORS:
            self._json(ERRORS[fault]["code"], {"error": ERRORS[fault], "user_id": USER_ID})
        elif body.get("stream"):
            self._stream(str(body.get("model")), fault)
        else:
            if fault == "drip":
                self.server.upstream.pause(3)
            text, finish = ANSWERS.get(fault, ("hello", "stop"))
            self._json(200, _completion(str(body.get("model")), "message", text, finish))

    def _note(self, body: dict[str, Any]) -> None:
        received = Received(self.path, self.headers.get("authorization", ""), body)
        self.server.upstream.received.append(received)

    def _json(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, model: str, fault: str) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        if fault == "comments":
            self._comments()
        if fault in ANSWERS:
            self._event(_completion(model, "delta", *ANSWERS[fault]))
            return
        if fault == "thinks":
            for number in range(6):
                field = ("reasoning", "reasoning_content")[number % 2]
                self._event(_completion(model, "delta", "", None, **{field: "Hm. "}))
                time.sleep(0.5)
        for number in range(CHUNKS):
            self._event(_completion(model, "delta", f"w{number} ", None))
            time.sleep(CHUNK_SECONDS)
            if number == CHUNKS // 2 and fault == "error-in-stream":
                self._event({"error": {"code": 502, "message": UPSTREAM_WORDS}, "user_id": USER_ID})
                return
            if number == CHUNKS // 2 and fault == "finish-error-midway":
                self._event(_completion(model, "delta", "", "error"))
            if number == CHUNKS // 2 and fault == "half":
                return
            if number == CHUNKS // 2 and fault == "unreadable-event":
                self.wfile.write(b'data: {"choices":[{"delta":\n\n')
        self._event(_completion(model, "delta", "", "stop"))
        self.wfile.write(b"data: [DONE]\n\n")

    def _comments(self) -> None:
        try:
            while not self.server.upstream.stopping:
                self.wfile.write(b": OPENROUTER PROCESSING\n\n")
                self.wfile.flush()
                self.server.upstream.pause(0.2)
        except OSError:
            """The gateway has left."""

    def _event(self, value: object) -> None:
        self.wfile.write(b"data: " + json.dumps(value).encode() + b"\n\n")
        self.wfile.flush()


def _completion(model: str, part: str, text: str, finish: str | None, **more: str) -> dict[str, Any]:
    kind = "chat.completion" if part == "message" else "chat.completion.chunk"
    choice = {"index": 0, part: {"role": "assistant", "content": text, **more}, "finish_reason": finish}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "cost": 0}
    return {"id": "gen-1", "object": kind, "created": 1, "model": model, "choices": [choice], "usage": usage}
