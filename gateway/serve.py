"""Start LiteLLM behind the request filter: `python3 -m gateway.serve`.

Exits with code 2 and one line when a setting is missing or wrong, before LiteLLM is loaded. Exits with 1 when the
port is in use, or when LiteLLM is not as expected or did not accept its whole configuration, and with 3 when LiteLLM
does not know a name that we use, or does not ask the guard before a call (`self_test`).
"""

import asyncio
import gc
import importlib
import json
import logging
import os
import secrets
import signal
import sys
from types import FrameType
from typing import NoReturn, cast

from gateway import environment, litellm_internals, logs
from gateway.environment import Gateway, StartError
from gateway.policy import HEALTH_PATHS
from serving.drain import ASGIApp, bind, serve

FREEZE_AFTER_SECONDS = 2.0  # LiteLLM still loads modules for a moment after it listens

_DEFAULTS = {
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOG": "ERROR",
    "NO_DOCS": "True",
    "NO_REDOC": "True",
    "NO_OPENAPI": "True",
    "DISABLE_ADMIN_UI": "True",
    "JSON_LOGS": "true",
    "REDIS_CIRCUIT_BREAKER_FAILURE_THRESHOLD": "2",
    "REDIS_CIRCUIT_BREAKER_RECOVERY_TIMEOUT": "10",
    "HOME": "/tmp",  # noqa: S108  # the only folder that a read-only container can write to
}

_REMOVED = ("DATABASE_URL", "WORKER_CONFIG", "LITELLM_CONFIG_BUCKET_NAME", "PROMETHEUS_MULTIPROC_DIR")
"""Each of them makes LiteLLM use other settings than the config."""


def main() -> None:
    """Run the gateway until it gets a signal to stop."""
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
    redacting = logs.RedactingFilter()
    try:
        app = _load(gateway, redacting)
    except StartError as error:
        _fail(1, str(error))
    serve(
        app,
        host=gateway.host,
        port=gateway.port,
        health_paths=HEALTH_PATHS,
        drain_seconds=gateway.drain_seconds,
        grace_seconds=gateway.grace_seconds,
        on_started=lambda: _started(gateway, redacting),
        access_log=False,
        timeout_keep_alive=75,
        log_config=logs.uvicorn_config(),
    )


def _stop_before_start(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _fail(code: int, message: str) -> NoReturn:
    print(json.dumps({"level": "CRITICAL", "logger": "gateway", "message": message}), file=sys.stderr, flush=True)
    raise SystemExit(code) from None


def _prepare_environment(gateway: Gateway) -> None:
    for name in _REMOVED:
        os.environ.pop(name, None)
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    os.environ["CONFIG_FILE_PATH"] = str(gateway.config)
    # Nobody knows this key: if the custom auth is ever missing, LiteLLM is closed and not open.
    os.environ["LITELLM_MASTER_KEY"] = f"sk-{secrets.token_hex(32)}"
    os.environ["OPENROUTER_API_KEY"] = gateway.openrouter_key
    if gateway.redis is not None and gateway.caches:
        os.environ["REDIS_PASSWORD"] = gateway.redis.password or ""
    else:  # LiteLLM would use it for counts that nobody reads, and wait for one that does not answer
        for name in ("REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD"):
            os.environ.pop(name, None)


def _load(gateway: Gateway, redacting: logs.RedactingFilter) -> ASGIApp:
    """Import LiteLLM, which reads the environment, and put the request filter in front of it. Raises `StartError`."""
    for name in logs.LITELLM_LOGGERS:
        logging.getLogger(name).addFilter(redacting)
    app = litellm_internals.load()
    # After LiteLLM: the metrics library reads the environment when it is imported.
    state, request_filter, self_test = (
        importlib.import_module(f"gateway.{name}") for name in ("state", "request_filter", "self_test")
    )
    tested = self_test.SelfTested(app, gateway)
    resting = state.rests().resting
    return cast("ASGIApp", request_filter.RequestFilter(tested, gateway, state.quota(), state.metrics(), resting))


def _started(gateway: Gateway, redacting: logs.RedactingFilter) -> None:
    if redacting.mistakes:
        _fail(1, f"LiteLLM did not accept its configuration: {redacting.mistakes[0]}")
    try:
        litellm_internals.check_started()
    except StartError as error:
        _fail(1, str(error))
    asyncio.get_running_loop().call_later(FREEZE_AFTER_SECONDS, _freeze)


def _freeze() -> None:
    """Exclude the million objects of the start from garbage collection: traversing them delays requests."""
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    main()
