"""The filter in front of LiteLLM: an ASGI application that passes only requests that `policy` allows.

It answers requests that need no model itself. It rebuilds every other request (path, headers, body) for LiteLLM,
limits the time of all attempts together, and replaces the texts of LiteLLM's errors.
"""

import asyncio
import json
import re
import secrets
from typing import Any
from urllib.parse import parse_qs, urlencode

from gateway import errors, policy
from gateway.environment import Gateway
from gateway.health import Resting, summary
from gateway.policy import RefusedError
from gateway.quota import Quota
from gateway.request_context import CURRENT, RequestContext
from gateway.response_filter import ResponseFilter
from gateway.state import Metrics
from serving.drain import ASGIApp, Message, Receive, Scope, Send

MODELS_PATHS = frozenset({"/models", "/v1/models"})
CHAT_PATHS = frozenset({"/chat/completions", "/v1/chat/completions"})
BODY_SECONDS = 30.0  # that a client may take to send its request
LEAVE_SECONDS = 2.0  # that LiteLLM may take to end its calls after the deadline; then it is cancelled
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestFilter:
    """The gateway's HTTP interface."""

    def __init__(self, app: ASGIApp, gateway: Gateway, quota: Quota, metrics: Metrics, resting: Resting) -> None:
        """Take LiteLLM's application, and what tells which models are left out at the moment (`resting`)."""
        self._app = app
        self._resting = resting
        self._gateway = gateway
        self._quota = quota
        self._metrics = metrics
        self._models = frozenset(gateway.models)
        models = [{"id": name, "object": "model", "created": 0, "owned_by": "openrouter"} for name in gateway.models]
        self._models_body = json.dumps({"object": "list", "data": models}).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse the request, or pass it on to LiteLLM."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            out = ResponseFilter(send, _request_id(scope))
            try:
                await self._serve(scope, receive, out)
            except RefusedError as error:
                self._metrics.refused.labels(error.code).inc()
                await _answer_refusal(out, error)

    async def _serve(self, scope: Scope, receive: Receive, out: ResponseFilter) -> None:
        path = scope["path"]
        access = policy.access_of(scope["method"], path)
        policy.authorize(access, _header(scope, b"authorization"), self._gateway.keys)
        if path in MODELS_PATHS:
            await out.answer(200, self._models_body)
        elif path in CHAT_PATHS:
            await self._chat(scope, receive, out)
        elif path == "/health/summary":
            models = self._gateway.called_models
            await out.answer(200, summary(models, await self._resting(models), await self._quota.wait()))
        elif path == "/health":
            await self._deep_health(scope, receive, out)
        else:
            target = "/metrics/" if path == "/metrics" else path
            await self._app(_rebuilt(scope, target), receive, out.plain)

    async def _chat(self, scope: Scope, receive: Receive, out: ResponseFilter) -> None:
        deadline = asyncio.get_running_loop().time() + self._gateway.deadline_seconds
        body = await _read_body(scope, receive)
        cleaned = policy.clean_chat(_parsed(body), self._models)
        sent = json.dumps(cleaned, ensure_ascii=False, separators=(",", ":")).encode()
        await self._ask(_rebuilt(scope, "/v1/chat/completions", body=sent), _Client(receive, sent), out, deadline)

    async def _deep_health(self, scope: Scope, receive: Receive, out: ResponseFilter) -> None:
        """Check the one model that the query names: without a name LiteLLM would call all models."""
        model = parse_qs(scope["query_string"].decode("ascii", "replace")).get("model", [""])[0]
        policy.check_model(model, self._models)
        target = _rebuilt(scope, "/health", query=urlencode({"model": model}).encode())
        deadline = asyncio.get_running_loop().time() + self._gateway.deadline_seconds
        await self._ask(target, _Client(receive), out, deadline)

    async def _ask(self, scope: Scope, client: "_Client", out: ResponseFilter, deadline: float) -> None:
        """Count a call against the quota, and pass LiteLLM's answer on until the deadline, in the loop's time."""
        wait = await self._quota.take()
        self._metrics.quota_shared.set(self._quota.is_shared)
        if wait:
            raise RefusedError(429, "quota_spent", f"the account's free calls are spent for {wait} s", retry_after=wait)
        out.context = RequestContext(paid=1, deadline=deadline)
        token = CURRENT.set(out.context)
        loop = asyncio.get_running_loop()
        work = asyncio.ensure_future(self._app(scope, client, out.guarded))
        try:
            async with asyncio.timeout_at(deadline) as limit:
                out.on_stream = lambda: limit.reschedule(loop.time() + self._gateway.stream_deadline_seconds)
                await asyncio.shield(work)
        except TimeoutError:
            self._metrics.refused.labels("deadline").inc()
            await out.too_late()
            # LiteLLM ends its calls when its client disconnects. When it is only cancelled, a call that waits for the
            # first token of a stream stays open until the model ends it.
            client.leave()
            await asyncio.wait({work}, timeout=LEAVE_SECONDS)
        finally:
            work.cancel()
            CURRENT.reset(token)


class _Client:
    """The client as LiteLLM sees it: first the rebuilt body, then the real client's messages (its disconnect)."""

    def __init__(self, receive: Receive, body: bytes | None = None) -> None:
        self._receive = receive
        self._body = body
        self._gone = asyncio.Event()

    def leave(self) -> None:
        """Report a disconnect, whatever the real client does."""
        self._gone.set()

    async def __call__(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        received, gone = asyncio.ensure_future(self._receive()), asyncio.ensure_future(self._gone.wait())
        try:
            await asyncio.wait({received, gone}, return_when=asyncio.FIRST_COMPLETED)
            return received.result() if received.done() else {"type": "http.disconnect"}
        finally:
            received.cancel()
            gone.cancel()


def _request_id(scope: Scope) -> str:
    """Return the edge's id, so that all logs show the same one; a new id when that is missing or unsafe to log."""
    given = _header(scope, b"x-request-id") or ""
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _header(scope: Scope, wanted: bytes) -> str | None:
    values = [value for name, value in scope["headers"] if name == wanted]
    # With two headers of one name LiteLLM might read another one than we do: so neither counts.
    return values[0].decode("latin-1") if len(values) == 1 else None


def _rebuilt(scope: Scope, path: str, *, query: bytes = b"", body: bytes | None = None) -> Scope:
    """Return a scope with only the headers that LiteLLM needs: others change its behaviour (x-litellm-*, keys)."""
    headers = [(name, value) for name, value in scope["headers"] if name in (b"host", b"authorization", b"accept")]
    if body is not None:
        headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    return {**scope, "path": path, "raw_path": path.encode(), "query_string": query, "headers": headers}


async def _read_body(scope: Scope, receive: Receive) -> bytes:
    announced = _header(scope, b"content-length") or "0"
    if announced.isdecimal() and int(announced) > policy.MAX_BODY_BYTES:
        raise _too_large()
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise RefusedError(499, "client_closed", "the client went away")
                chunks.append(message.get("body", b""))
                size += len(chunks[-1])
                if size > policy.MAX_BODY_BYTES:
                    raise _too_large()
                if not message.get("more_body", False):
                    return b"".join(chunks)
    except TimeoutError:
        raise RefusedError(408, "too_slow", f"the request took longer than {BODY_SECONDS:g} s to arrive") from None


def _too_large() -> RefusedError:
    return RefusedError(413, "too_large", f"a request may hold {policy.MAX_BODY_BYTES} bytes")


def _parsed(body: bytes) -> Any:
    def no_constants(name: str) -> None:
        raise ValueError(f"{name} is not JSON")

    try:
        parsed = json.loads(body, parse_constant=no_constants)
        json.dumps(parsed, ensure_ascii=False).encode()  # half a surrogate pair can be parsed, but not encoded again
    except (ValueError, RecursionError):
        raise RefusedError(400, "invalid_json", "the body should be a JSON object") from None
    return parsed


async def _answer_refusal(out: ResponseFilter, error: RefusedError) -> None:
    headers: list[tuple[bytes, bytes]] = []
    if error.retry_after is not None:
        headers.append((b"retry-after", str(error.retry_after).encode()))
    if error.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if error.status in (405, 408, 413):
        headers.append((b"connection", b"close"))  # the rest of the body is not read
    body = errors.body_of(error.status, error.code, error.message, error.param)
    await out.answer(error.status, body, headers)
