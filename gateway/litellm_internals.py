"""Every use of LiteLLM's undocumented parts, written for the version that images/litellm/requirements.in pins.

`load` checks them when LiteLLM is imported, `check_started` when it has read its config. Both raise `StartError` when
LiteLLM is not as expected: a newer LiteLLM ends the start instead of serving without a lock.
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from gateway.environment import StartError
from serving.drain import ASGIApp

_HOOKS = frozenset({"async_pre_call_hook", "async_pre_call_deployment_hook"})


def load() -> ASGIApp:
    """Import LiteLLM, which takes seconds, and return its application. Raises `StartError`."""
    with _expected():
        proxy = importlib.import_module("litellm.proxy.proxy_server")
        return cast("ASGIApp", proxy.app)


def check_started() -> None:
    """Check that LiteLLM has installed both locks. Raises `StartError`."""
    with _expected():
        litellm, proxy = (importlib.import_module(name) for name in ("litellm", "litellm.proxy.proxy_server"))
        logger = importlib.import_module("litellm.integrations.custom_logger").CustomLogger
        check_locks(proxy.user_custom_auth, litellm.callbacks, logger)


def router() -> Any:
    """Return LiteLLM's own router, which it makes when it has read its config. Raises `StartError`."""
    with _expected():
        return importlib.import_module("litellm.proxy.proxy_server").llm_router


def check_locks(custom_auth: object, callbacks: list[object], logger: type) -> None:
    """Raise `StartError` unless there is a custom authentication and a callback with hooks that `logger` knows."""
    unknown = sorted(_HOOKS - set(dir(logger)))
    if unknown:
        raise StartError(f"this LiteLLM does not call {', '.join(unknown)}: calls to paid models would not be stopped")
    if custom_auth is None or not any(vars(type(callback)).keys() >= _HOOKS for callback in callbacks):
        raise StartError("LiteLLM did not load gateway.guard: calls to paid models would not be stopped")


@contextmanager
def _expected() -> Iterator[None]:
    try:
        yield
    except (AttributeError, ImportError, TypeError) as error:
        raise StartError(f"this LiteLLM is not the pinned version: {type(error).__name__}: {error}") from error
