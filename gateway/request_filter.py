"""The gateway's HTTP interface: an ASGI application that takes only requests that `policy` allows.

It answers requests that need no model itself. A chat is rebuilt from its known fields and given to `chat`; all attempts
together have a limit of time, and what a client is told of a failure is said here.
"""

import asyncio
import json
import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from prometheus_client import CONTENT_TYPE_LATEST

from gateway import errors, health, policy, request_body
from gateway.admission import Places
from gateway.cached import FEATURE_HEADER
from gateway.chat import Answer
from gateway.disconnect import while_connected
from gateway.environment import Gateway, StartError
from gateway.health import Resting
from gateway.logs import place_of
from gateway.metrics import CLIENT_LEFT, Metrics
from gateway.policy import RefusedError
from gateway.quota import Quota
from gateway.request_body import header
from gateway.request_context import RequestContext
from gateway.response import Response
from serving.drain import Receive, Scope, Send
from serving.exposition import exposition

MODELS = "/v1/models"
MODELS_PATHS = frozenset({"/models", MODELS})
CHAT_PATHS = frozenset({"/chat/completions", "/v1/chat/completions"})
METRICS_PATHS = frozenset({"/metrics", "/metrics/"})
UNREAD = frozenset({413, 415})  # answered before the client has sent its whole body
ALIVE = b'"I\'m alive!"'
READY = b'{"status":"healthy","db":"Not connected"}'
"""What LiteLLM's proxy answers to its health paths: clients and balancers know these words."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

logger = logging.getLogger("gateway.request")


@dataclass(frozen=True)
class Life:
    """What is done before the first request, and after the last one. A `StartError` of `start` ends the start."""

    start: Callable[[], Awaitable[None]]
    end: Callable[[], Awaitable[None]]


class RequestFilter:
    """The gateway's HTTP interface."""

    def __init__(
        self,
        answering: Callable[[dict[str, Any], RequestContext], Awaitable[Answer]],
        checking: Callable[[str, RequestContext], Awaitable[None]],
        gateway: Gateway,
        quota: Quota,
        metrics: Metrics,
        resting: Resting,
        life: Life,
    ) -> None:
        """Take what answers a clean chat and what checks one model (`chat.Chats`), and what tells which models rest."""
        self._answering = answering
        self._checking = checking
        self._resting = resting
        self._life = life
        self._gateway = gateway
        self._quota = quota
        self._metrics = metrics
        self._places = Places(gateway.max_in_flight, gateway.max_queued, metrics)
        self._models = frozenset(gateway.models)
        self._models_body = json.dumps({"object": "list", "data": [_model(name) for name in gateway.models]}).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse the request."""
        if scope["type"] == "lifespan":
            await lifespan(self._start, self._end, receive, send)
        elif scope["type"] == "http":
            out = Response(send, _request_id(scope))
            try:
                await self._serve(scope, receive, out)
            except RefusedError as error:
                self._metrics.refused.labels(error.code).inc()
                await _refuse(out, error, receive)

    async def _start(self) -> None:
        await self._quota.wait()  # Redis learns of this replica before its first request
        await self._life.start()

    async def _end(self) -> None:
        await self._quota.end()
        await self._life.end()

    async def _serve(self, scope: Scope, receive: Receive, out: Response) -> None:
        method, path = scope["method"], scope["path"]
        name = _model_in(path)
        route = MODELS if name else path
        if method == "OPTIONS":
            await out.options((*policy.methods_of(route), method))
            return
        policy.authorize(policy.access_of(method, route), header(scope, b"authorization"), self._gateway.keys)
        if path in CHAT_PATHS:
            await self._chat(scope, receive, out)
        elif path == "/health":
            await self._deep_health(scope, receive, out)
        elif path in METRICS_PATHS:
            await self._metrics.show(self._quota)
            await out.answer(200, exposition(self._metrics.registry), kind=CONTENT_TYPE_LATEST.encode())
        else:
            await out.answer(200, await self._known(path, name))

    async def _known(self, path: str, name: str) -> bytes:
        """Return what is answered without a model and without a request's body."""
        if name and name not in self._models:
            message = "this model is not served; GET /v1/models lists those that are"
            raise RefusedError(404, "model_not_found", message, param="model")
        if name:
            return json.dumps(_model(name)).encode()
        if path in MODELS_PATHS:
            return self._models_body
        if path == "/health/summary":
            models = self._gateway.called_models()
            return health.summary(models, await self._resting(models), await self._quota.wait())
        return READY if path.startswith("/health/readiness") else ALIVE

    async def _chat(self, scope: Scope, receive: Receive, out: Response) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._gateway.deadline_seconds
        body = await request_body.read(scope, receive)
        begun = loop.time()
        asked = request_body.parsed(body)
        cleaned = policy.clean_chat(asked, self._models)
        size = len(json.dumps(cleaned, ensure_ascii=False, separators=(",", ":")).encode())
        unable = self._gateway.abilities.unable(cleaned, size)
        feature = header(scope, FEATURE_HEADER)
        out.context = context = RequestContext(deadline=deadline, unable=unable, asked=asked, feature=feature)

        async def work(limit: asyncio.Timeout) -> None:
            async with self._places.one():
                answer = await self._answering(cleaned, context)
                self._metrics.overhead.observe(max(0.0, loop.time() - begun - context.upstream_seconds))
                if isinstance(answer, dict):
                    await out.whole(answer)
                else:
                    stream_deadline = self._gateway.stream_deadline_seconds
                    await out.stream(answer, lambda: limit.reschedule(loop.time() + stream_deadline))

        try:
            await self._in_time(work, receive, out, context)
        except RefusedError as error:
            if not context.attempts:
                self._metrics.refused.labels(error.code).inc()
            await _refuse(out, error, receive)
        finally:
            status = out.status if out.finished else CLIENT_LEFT
            self._metrics.chats.labels(str(status)).inc()
            if status == 200:
                self._metrics.seconds.observe(loop.time() - begun)

    async def _deep_health(self, scope: Scope, receive: Receive, out: Response) -> None:
        """Check the one model that the query names."""
        name = parse_qs(scope["query_string"].decode("ascii", "replace")).get("model", [""])[0]
        policy.check_model(name, self._models)
        deadline = asyncio.get_running_loop().time() + self._gateway.deadline_seconds
        out.context = context = RequestContext(deadline=deadline)

        async def work(limit: asyncio.Timeout) -> None:
            await self._checking(name, context)
            called = f"openrouter/{self._gateway.first_models[name]}"
            ids = [id_ for id_, model in self._gateway.deployments.items() if model == called]
            await out.answer(200, health.checked(called, ids[0]))

        await self._in_time(work, receive, out, context)

    async def _in_time(
        self,
        work: Callable[[asyncio.Timeout], Awaitable[None]],
        receive: Receive,
        out: Response,
        context: RequestContext,
    ) -> None:
        """Do the work until the context's deadline, as long as its client is there."""
        try:
            async with while_connected(receive), asyncio.timeout_at(context.deadline) as limit:
                await work(limit)
        except TimeoutError:
            self._metrics.refused.labels("deadline").inc()
            await out.too_late()
        except RefusedError:
            raise
        except Exception as error:
            logger.error("%s", place_of(error))
            if out.status:
                raise  # the server cuts the connection
            raise errors.told(context, 500) from None
        finally:
            await context.close()


async def _refuse(out: Response, error: RefusedError, receive: Receive) -> None:
    headers: list[tuple[bytes, bytes]] = []
    if error.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if error.allow is not None:
        headers.append((b"allow", error.allow.encode()))
    if error.status == 408 or error.status in UNREAD:
        headers.append((b"connection", b"close"))
    await out.error(error, headers, request_body.receive_rest(receive) if error.status in UNREAD else None)


async def lifespan(
    start: Callable[[], Awaitable[None]], end: Callable[[], Awaitable[None]], receive: Receive, send: Send
) -> None:
    """Do what belongs to the server's start and end: it serves once `start` is done, or says why that failed."""
    await receive()
    try:
        await start()
    except StartError as error:
        await send({"type": "lifespan.startup.failed", "message": str(error)})
        return
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await end()
    await send({"type": "lifespan.shutdown.complete"})


def _request_id(scope: Scope) -> str:
    """Return the edge's id, so that all logs show the same one; a new id when that is missing or unsafe to log."""
    given = header(scope, b"x-request-id") or ""
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _model_in(path: str) -> str:
    """Return the name in a path that asks for one model, else "". A name may have slashes of its own."""
    start = next((f"{each}/" for each in MODELS_PATHS if path.startswith(f"{each}/")), None)
    return path.removeprefix(start) if start else ""


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "openrouter"}
