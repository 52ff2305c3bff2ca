"""Start the gateway: `python3 -m gateway.serve`.

Exits with code 2 and one line when a setting is missing or wrong, before LiteLLM is loaded. Exits with 1 when the
port is in use, or when LiteLLM is not as expected or did not accept its configuration, and with 3 when LiteLLM does not
know a name that we use, or does not ask the guard before a call (`self_test`).
"""

import gc
import importlib
import json
import logging
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from gateway import environment, known_names, logs, router, state
from gateway.chat import Chats
from gateway.environment import Gateway, StartError
from gateway.policy import HEALTH_PATHS
from gateway.request_filter import Life, RequestFilter
from serving.drain import ASGIApp, bind, serve

_DEFAULTS = {
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOG": "ERROR",
    "HOME": "/tmp",  # noqa: S108  # the only folder that a read-only container can write to
}


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
    for name in logs.LITELLM_LOGGERS:
        logging.getLogger(name).addFilter(logs.RedactingFilter())
    try:
        known_names.require(gateway.rendered)
    except StartError as error:
        _fail(3, str(error))
    try:
        app = _application(gateway)
    except StartError as error:
        _fail(1, str(error))
    serve(
        app,
        host=gateway.host,
        port=gateway.port,
        health_paths=HEALTH_PATHS,
        drain_seconds=gateway.drain_seconds,
        grace_seconds=gateway.grace_seconds,
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
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    os.environ["OPENROUTER_API_KEY"] = gateway.openrouter_key
    for name in ("REDIS_HOST", "REDIS_PORT"):  # LiteLLM has no use of it, and would wait for one that does not answer
        os.environ.pop(name, None)


def _application(gateway: Gateway) -> ASGIApp:
    """Import LiteLLM, which reads the environment, and put the request filter in front of its router.

    Raises `StartError`.
    """
    # They import LiteLLM.
    guard, self_test = (importlib.import_module(f"gateway.{name}") for name in ("guard", "self_test"))
    routes = router.build(gateway.rendered, guard.guard)
    chats = Chats(routes, gateway, state.quota(), state.metrics())

    async def starting() -> None:
        await self_test.prove(routes, gateway.upstream)
        await self_test.rehearse(chats, gateway)
        # The million objects of the start are kept from garbage collection: to traverse them delays requests.
        gc.collect()
        gc.freeze()

    answering = state.cached(chats.answer)
    life = Life(starting, state.sending().aclose)
    return RequestFilter(answering, chats.check, gateway, state.quota(), state.metrics(), state.rests().resting, life)


if __name__ == "__main__":
    main()
