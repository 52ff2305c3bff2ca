"""Serve an ASGI application with uvicorn so that it can be replaced without losing a request.

A plain server closes its listener when SIGTERM arrives, while the load balancer sends requests until its next
health check. This one reports it first:

* at the signal every health path answers 503, every response carries `Connection: close`, and the
  listener stays open for `drain_seconds`, long enough for the load balancer's next check;
* then the listener closes; running requests and streams get `grace_seconds` to finish;
* a second signal ends the process at once.

Only the standard library and uvicorn are imported: the module is also uploaded into images that are not ours.
"""

import contextlib
import math
import os
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from types import FrameType
from typing import Any, cast

import uvicorn

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_FORCE_EXIT_MARGIN_SECONDS = 5.0  # for the application's own shutdown code after the grace period
# Methods of uvicorn's server that its documentation does not describe.
_OVERRIDDEN = ("startup", "handle_exit", "on_tick", "shutdown")
_DRAINING_BODY = b'{"status":"draining"}'


class DrainingApp:
    """The wrapped application; `draining` switches health paths to 503 and keep-alive off."""

    def __init__(self, app: ASGIApp, health_paths: frozenset[str]) -> None:
        self._app = app
        self._health_paths = health_paths
        self.draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or report on a health path that this process is stopping."""

        async def send_closing(message: Message) -> None:
            # Checked when the response starts: a request from before the signal must not keep its connection.
            if self.draining and message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message.get("headers", []) if name.lower() != b"connection"]
                message = {**message, "headers": [*kept, (b"connection", b"close")]}
            await send(message)

        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self.draining and scope["path"] in self._health_paths:
            length = (b"content-length", str(len(_DRAINING_BODY)).encode())
            headers = [(b"content-type", b"application/json"), length, (b"cache-control", b"no-store")]
            await send_closing({"type": "http.response.start", "status": 503, "headers": headers})
            await send({"type": "http.response.body", "body": _DRAINING_BODY})
        else:
            await self._app(scope, receive, send_closing)


class DrainingServer(uvicorn.Server):
    """uvicorn's server with the listener held open for `drain_seconds` after the first signal."""

    def __init__(
        self, config: uvicorn.Config, app: DrainingApp, drain_seconds: float, on_started: Callable[[], None] | None
    ) -> None:
        super().__init__(config)
        self._drain_app = app
        self._drain_seconds = drain_seconds
        self._on_started = on_started
        self._close_at = math.inf

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, then call `on_started` once the listener accepts."""
        await super().startup(sockets=sockets)
        if self.started and self._on_started is not None:
            self._on_started()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """First signal: drain. Any further one: exit at once with the shell's code for that signal.

        The signal is not handed to uvicorn's list of captured ones: it would be raised again at the end
        and turn an orderly exit into a death by signal.
        """
        if self._drain_app.draining:
            _exit_now(128 + sig)
        self._drain_app.draining = True
        self._close_at = time.monotonic() + self._drain_seconds
        if not self.started:
            self.should_exit = True  # no request was ever sent here

    async def on_tick(self, counter: int) -> bool:
        """Leave uvicorn's main loop when the drain time is over."""
        return await super().on_tick(counter) or time.monotonic() >= self._close_at

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the listener and wait for running requests, with a time limit for all of it.

        The timer ends a process that a thread, or a task that ignores cancellation, would keep alive for ever.
        """
        limit = (self.config.timeout_graceful_shutdown or 0) + _FORCE_EXIT_MARGIN_SECONDS
        timer = threading.Timer(limit, _exit_now, args=(1,))
        timer.daemon = True
        timer.start()
        await super().shutdown(sockets=sockets)


def _exit_now(code: int) -> None:
    with contextlib.suppress(RuntimeError, OSError):  # a signal may interrupt a flush; a pipe may be gone
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def bind(host: str, port: int) -> socket.socket:
    """Take the address before a slow start-up begins; connections are refused until the server listens.

    Raises `OSError` when the port is in use or may not be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's delay off (else each kept-alive request takes 44 ms longer).
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def serve(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    health_paths: frozenset[str],
    drain_seconds: float,
    grace_seconds: float,
    on_started: Callable[[], None] | None = None,
    **uvicorn_options: Any,
) -> None:
    """Serve `app` until a signal, drain, and return, so that the process ends with code 0.

    `on_started` runs once, when the listener accepts. `drain_seconds` 0 closes the listener at once; requests
    that still run `grace_seconds` after that are cancelled. `uvicorn_options` go to `uvicorn.Config`. Must run
    in the main thread. Raises `OSError` when the port cannot be bound (no other port is tried), RuntimeError when this
    uvicorn lacks a method that draining overrides, and `SystemExit` when the application's own start-up fails.
    """
    missing = [name for name in _OVERRIDDEN if not hasattr(uvicorn.Server, name)]
    if missing:
        raise RuntimeError(f"uvicorn {uvicorn.__version__} cannot drain: its Server has no {', '.join(missing)}")
    draining_app = DrainingApp(app, health_paths)
    options: dict[str, Any] = {"server_header": False, "ws": "none", **uvicorn_options}
    config = uvicorn.Config(
        cast("Any", draining_app), host=host, port=port, timeout_graceful_shutdown=math.ceil(grace_seconds), **options
    )
    DrainingServer(config, draining_app, drain_seconds, on_started).run(sockets=[bind(host, port)])
