"""Start LiteLLM behind the wall: `python3 -m gateway.serve`.

Ends with code 2 and one line when something is missing or wrong, before LiteLLM is loaded; with 1 when the
port is taken or LiteLLM did not take its configuration as a whole.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import importlib.util
import json
import logging
import os
import secrets
import signal
import sys
from types import FrameType
from typing import Any, NoReturn, cast

from gateway import environment, logs, streams
from gateway.environment import Gateway, StartError
from gateway.policy import HEALTH_PATHS
from serving.drain import ASGIApp, bind, serve

FREEZE_AFTER_SECONDS = 2.0
"""LiteLLM goes on loading for a moment after it listens."""

_PROXY = "litellm.proxy.proxy_server"
_OPENROUTER = "litellm.llms.openrouter.chat.transformation"
_TRACING = "litellm.integrations.otel.logger"

_DEFAULTS = {
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOG": "ERROR",
    # In seconds, and else 300: as long it would go on asking at an address that the upstream no longer has.
    "AIOHTTP_TTL_DNS_CACHE": "10",
    "NO_DOCS": "True",
    "NO_REDOC": "True",
    "NO_OPENAPI": "True",
    "DISABLE_ADMIN_UI": "True",
    "JSON_LOGS": "true",
    "REDIS_CIRCUIT_BREAKER_FAILURE_THRESHOLD": "2",
    "REDIS_CIRCUIT_BREAKER_RECOVERY_TIMEOUT": "10",
    "HOME": "/tmp",  # noqa: S108  # the one place that a read-only container can write to
}

_REMOVED = ("DATABASE_URL", "WORKER_CONFIG", "LITELLM_CONFIG_BUCKET_NAME", "PROMETHEUS_MULTIPROC_DIR")
"""Each of them turns LiteLLM into something else than what the config says."""


def main() -> None:
    """Run the gateway until it is told to stop."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop_before_start)  # the first process of a container has no default action
    try:
        gateway = environment.current()
    except StartError as error:
        _fail(2, str(error))
    try:
        bind(gateway.host, gateway.port).close()
    except OSError as error:
        _fail(1, f"port {gateway.port} cannot be used: {error.strerror}")
    _prepare_environment(gateway)
    discretion = logs.Discretion()
    app = _load(gateway, discretion)
    serve(
        app,
        host=gateway.host,
        port=gateway.port,
        health_paths=HEALTH_PATHS,
        drain_seconds=gateway.drain_seconds,
        grace_seconds=gateway.grace_seconds,
        on_started=lambda: _started(gateway, discretion),
        **_server_options(),
    )


def _stop_before_start(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _fail(code: int, message: str) -> NoReturn:
    print(json.dumps({"level": "CRITICAL", "logger": "gateway", "message": message}), file=sys.stderr, flush=True)
    raise SystemExit(code)


def _prepare_environment(gateway: Gateway) -> None:
    for name in _REMOVED:
        os.environ.pop(name, None)
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    os.environ["CONFIG_FILE_PATH"] = str(gateway.config)
    # Nobody knows it: should the custom auth ever be missing, LiteLLM is closed and not open.
    os.environ["LITELLM_MASTER_KEY"] = f"sk-{secrets.token_hex(32)}"
    os.environ["OPENROUTER_API_KEY"] = gateway.openrouter_key
    if gateway.redis is not None:
        os.environ["REDIS_PASSWORD"] = gateway.redis.password or ""


def _load(gateway: Gateway, discretion: logs.Discretion) -> ASGIApp:
    """Import LiteLLM, which takes seconds and reads the environment, and put the wall in front of it."""
    for name in logs.LITELLM_LOGGERS:
        logging.getLogger(name).addFilter(discretion)
    proxy, state, wall = (importlib.import_module(name) for name in (_PROXY, "gateway.state", "gateway.wall"))
    streams.install(importlib.import_module(_OPENROUTER))
    _seek_once(_TRACING)
    return cast("ASGIApp", wall.Wall(proxy.app, gateway, state.quota(), state.metrics()))


def _seek_once(module: str) -> None:
    """Let a module that cannot be imported be missing at once from now on.

    LiteLLM imports its tracing on each request, and passes over that it cannot. Without OpenTelemetry's SDK the search
    on the disk was 6 % of a request's processor time.
    """
    try:
        importlib.import_module(module)
    except ImportError:
        sys.modules[module] = None  # type: ignore[assignment]  # documented: the import system, sys.modules


def _server_options() -> dict[str, Any]:
    options: dict[str, Any] = {"access_log": False, "timeout_keep_alive": 75, "log_config": logs.uvicorn_config()}
    if importlib.util.find_spec("httptools"):
        options["http"] = "httptools"
    if importlib.util.find_spec("uvloop"):
        options["loop"] = "uvloop"
    return options


def _started(gateway: Gateway, discretion: logs.Discretion) -> None:
    if discretion.mistakes:
        _fail(1, f"LiteLLM did not accept its configuration: {discretion.mistakes[0]}")
    if gateway.redis is not None:
        proxy, state = (importlib.import_module(name) for name in (_PROXY, "gateway.state"))
        state.stop_redis_retries(proxy.llm_router)
    asyncio.get_running_loop().call_later(FREEZE_AFTER_SECONDS, _freeze)


def _freeze() -> None:
    """Take the million objects of the start out of the collector's sight: walking them stalls requests."""
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    main()
