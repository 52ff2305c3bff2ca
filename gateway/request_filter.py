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

from gateway import errors, policy, request_body
from gateway.environment import Gateway
from gateway.health import Resting, summary
from gateway.policy import RefusedError
from gateway.quota import Quota
from gateway.request_body import header
from gateway.request_context import CURRENT, RequestContext
from gateway.response_filter import ResponseFilter
from gateway.state import Metrics
from serving.drain import ASGIApp, Message, Receive, Scope, Send

MODELS = "/v1/models"
MODELS_PATHS = frozenset({"/models", MODELS})
CHAT_PATHS = frozenset({"/chat/completions", "/v1/chat/completions"})
UNREAD = frozenset({413, 415})  # answered before the client has sent its whole body
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
        self._models_body = json.dumps({"object": "list", "data": [_model(name) for name in gateway.models]}).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse the request, or pass it on to LiteLLM."""
        if scope["type"] == "lifespan":
            await self._quota.wait()  # Redis learns of this replica before its first request
            await self._app(scope, self._until_the_end(receive), send)
        elif scope["type"] == "http":
            out = ResponseFilter(send, _request_id(scope))
            try:
                await self._serve(scope, receive, out)
            except RefusedError as error:
                self._metrics.refused.labels(error.code).inc()
                await _answer_refusal(out, error, receive)

    def _until_the_end(self, receive: Receive) -> Receive:
        """Return a `receive` of the server's life that says to the quota when there will be no more requests."""

        async def received() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self._quota.end()
            return message

        return received

    async def _serve(self, scope: Scope, receive: Receive, out: ResponseFilter) -> None:
        method, path = scope["method"], scope["path"]
        name = _model_in(path)
        route = MODELS if name else path  # LiteLLM's own route for one model is never asked
        if method == "OPTIONS":
            await out.options((*policy.methods_of(route), method))
            return
        policy.authorize(policy.access_of(method, route), header(scope, b"authorization"), self._gateway.keys)
        if name:
            await self._one_model(name, out)
        elif path in MODELS_PATHS:
            await out.answer(200, self._models_body)
        elif path in CHAT_PATHS:
            await self._chat(scope, receive, out)
        elif path == "/health/summary":
            models = self._gateway.called_models()
            await out.answer(200, summary(models, await self._resting(models), await self._quota.wait()))
        elif path == "/health":
            await self._deep_health(scope, receive, out)
        else:
            if path == "/metrics":
                await self._metrics.show(self._quota)
            target = "/metrics/" if path == "/metrics" else path
            await self._app(_rebuilt(scope, target), receive, out.plain)

    async def _one_model(self, name: str, out: ResponseFilter) -> None:
        if name not in self._models:
            message = "this model is not served; GET /v1/models lists those that are"
            raise RefusedError(404, "model_not_found", message, param="model")
        await out.answer(200, json.dumps(_model(name)).encode())

    async def _chat(self, scope: Scope, receive: Receive, out: ResponseFilter) -> None:
        deadline = asyncio.get_running_loop().time() + self._gateway.deadline_seconds
        body = await request_body.read(scope, receive)
        cleaned = policy.clean_chat(request_body.parsed(body), self._models)
        if self._gateway.caches:
            # The name is a part of the cache's key: under one name all requests for a model share their answers.
            cleaned["model"] = self._gateway.first_names[cleaned["model"]]
        sent = json.dumps(cleaned, ensure_ascii=False, separators=(",", ":")).encode()
        context = RequestContext(deadline=deadline, unable=self._gateway.abilities.unable(cleaned, len(sent)))
        await self._ask(_rebuilt(scope, "/v1/chat/completions", body=sent), _Client(receive, sent), out, context)

    async def _deep_health(self, scope: Scope, receive: Receive, out: ResponseFilter) -> None:
        """Check the one model that the query names: without a name LiteLLM would call all models."""
        model = parse_qs(scope["query_string"].decode("ascii", "replace")).get("model", [""])[0]
        policy.check_model(model, self._models)
        target = _rebuilt(scope, "/health", query=urlencode({"model": model}).encode())
        deadline = asyncio.get_running_loop().time() + self._gateway.deadline_seconds
        await self._ask(target, _Client(receive), out, RequestContext(deadline=deadline))

    async def _ask(self, scope: Scope, client: "_Client", out: ResponseFilter, context: RequestContext) -> None:
        """Pass LiteLLM's answer on until the context's deadline.

        While the quota is spent, LiteLLM is asked only for its cache.
        """
        wait = self._quota.refused_for()
        if wait and not self._gateway.caches:
            raise errors.quota_spent(wait)
        out.context = context
        token = CURRENT.set(out.context)
        loop = asyncio.get_running_loop()
        work = asyncio.ensure_future(self._app(scope, client, out.guarded))
        try:
            async with asyncio.timeout_at(context.deadline) as limit:
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
    given = header(scope, b"x-request-id") or ""
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _rebuilt(scope: Scope, path: str, *, query: bytes = b"", body: bytes | None = None) -> Scope:
    """Return a scope with only the headers that LiteLLM needs: others change its behaviour (x-litellm-*, keys)."""
    headers = [(name, value) for name, value in scope["headers"] if name in (b"host", b"authorization", b"accept")]
    if body is not None:
        headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    method = "GET" if scope["method"] == "HEAD" else scope["method"]  # the server leaves the body out
    return {
        **scope,
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": headers,
    }


def _model_in(path: str) -> str:
    """Return the name in a path that asks for one model, else "". A name may have slashes of its own."""
    start = next((f"{each}/" for each in MODELS_PATHS if path.startswith(f"{each}/")), None)
    return path.removeprefix(start) if start else ""


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "openrouter"}


async def _answer_refusal(out: ResponseFilter, error: RefusedError, receive: Receive) -> None:
    headers: list[tuple[bytes, bytes]] = []
    if error.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if error.allow is not None:
        headers.append((b"allow", error.allow.encode()))
    if error.status == 408 or error.status in UNREAD:
        headers.append((b"connection", b"close"))
    await out.error(error, headers, request_body.receive_rest(receive) if error.status in UNREAD else None)
