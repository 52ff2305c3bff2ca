"""Every use of LiteLLM's undocumented parts, written for the version that images/litellm/requirements.in pins.

`load` checks them when LiteLLM is imported, `check_started` when it has read its config. Both raise `StartError` when
LiteLLM is not as expected: a newer LiteLLM ends the start instead of serving without a lock.
"""

import importlib
import inspect
import json
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import httpx

from gateway.environment import StartError
from serving.drain import ASGIApp

_HOOKS = frozenset({"async_pre_call_hook", "async_pre_call_deployment_hook", "async_post_call_failure_deployment_hook"})
_STREAM_PARAMETERS = frozenset({"streaming_response", "sync_stream", "json_mode"})


def load() -> ASGIApp:
    """Import LiteLLM, which takes seconds, and return its application. Raises `StartError`."""
    with _expected():
        proxy = importlib.import_module("litellm.proxy.proxy_server")
        read_streams_strictly(importlib.import_module("litellm.llms.openrouter.chat.transformation"))
        return cast("ASGIApp", proxy.app)


def check_started(*, has_redis: bool) -> None:
    """Check that LiteLLM has installed both locks, and set its Redis client up. Raises `StartError`."""
    with _expected():
        litellm, proxy = (importlib.import_module(name) for name in ("litellm", "litellm.proxy.proxy_server"))
        logger = importlib.import_module("litellm.integrations.custom_logger").CustomLogger
        check_locks(proxy.user_custom_auth, litellm.callbacks, logger)
        inspect.signature(proxy.llm_router.cooldown_cache.async_get_active_cooldowns).bind([], parent_otel_span=None)
        if has_redis:
            _stop_redis_retries(proxy.llm_router)


def router() -> Any:
    """Return LiteLLM's own router, which it makes when it has read its config. Raises `StartError`."""
    with _expected():
        return importlib.import_module("litellm.proxy.proxy_server").llm_router


async def resting(deployments: Collection[str]) -> set[str]:
    """Return those of some deployments, by their ids, that LiteLLM leaves out at the moment after failures."""
    found = await router().cooldown_cache.async_get_active_cooldowns(list(deployments), parent_otel_span=None)
    return {name for name, _ in found}


def client(transport: httpx.AsyncBaseTransport) -> Any:
    """Return a client that LiteLLM uses for a call that has it as its parameter `client`. Raises `StartError`."""
    with _expected():
        handler = importlib.import_module("litellm.llms.custom_httpx.http_handler").AsyncHTTPHandler
        return handler(transport=transport, follow_redirects=False)


def check_locks(custom_auth: object, callbacks: list[object], logger: type) -> None:
    """Raise `StartError` unless there is a custom authentication and a callback with hooks that `logger` knows."""
    unknown = sorted(_HOOKS - set(dir(logger)))
    if unknown:
        raise StartError(f"this LiteLLM does not call {', '.join(unknown)}: calls to paid models would not be stopped")
    if custom_auth is None or not any(vars(type(callback)).keys() >= _HOOKS for callback in callbacks):
        raise StartError("LiteLLM did not load gateway.guard: calls to paid models would not be stopped")


def read_streams_strictly(openrouter: Any) -> None:
    """Let LiteLLM read OpenRouter's streams through `whole`.

    `openrouter` is the module `litellm.llms.openrouter.chat.transformation`. Raises `StartError` when its method takes
    other parameters, and AttributeError or TypeError when it lacks a class or the exception cannot be made.
    """
    config = openrouter.OpenrouterConfig
    original: Callable[..., Any] = config.get_model_response_iterator
    if not inspect.signature(original).parameters.keys() >= _STREAM_PARAMETERS:
        raise StartError("this LiteLLM reads OpenRouter's streams in another way: broken answers would look complete")

    failure = partial(openrouter.OpenRouterException, status_code=502, headers={})
    failure(message="the exception can be made")

    def strict(self: Any, streaming_response: Any, sync_stream: bool, json_mode: bool | None = False) -> Any:
        lines = streaming_response if sync_stream else whole(streaming_response, failure)
        return original(self, streaming_response=lines, sync_stream=sync_stream, json_mode=json_mode)

    config.get_model_response_iterator = strict


async def whole(lines: AsyncIterator[str], failure: Callable[..., Exception]) -> AsyncIterator[str]:
    """Yield the lines of one of OpenRouter's streams as they come.

    LiteLLM treats the end of a connection as the end of an answer ("stop"), and ignores an event that it cannot parse.
    A user would get an incomplete answer that looks complete. Here `failure` makes the exception that is raised for
    both, and for an error whose code is not a number. If the user has seen nothing yet, the next model is called; else
    the stream ends with an error event.
    """
    finished = False
    async for line in lines:
        data = line[5:].strip() if line.startswith("data:") else ""
        if data == "[DONE]" and not finished:
            break  # LiteLLM would report it as a complete answer
        if data and data != "[DONE]":
            finished = _finish_reason(data, failure) or finished
        yield line
    if not finished:
        raise failure(message="the stream ended without a finish reason")


def _finish_reason(data: str, failure: Callable[..., Exception]) -> bool:
    """Return whether an event has a finish reason."""
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        raise failure(message="an event of the stream is not JSON") from None
    if not isinstance(event, dict):
        return False
    error = event.get("error")
    if isinstance(error, dict) and not isinstance(error.get("code"), int):
        # OpenRouter has codes such as "server_error". LiteLLM cannot handle them and calls no other model.
        raise failure(message="the model ended with an error")
    choices = event.get("choices")
    return any(isinstance(choice, dict) and choice.get("finish_reason") for choice in choices or ())


def _stop_redis_retries(router: Any) -> None:
    """Let LiteLLM's own Redis client fail at once.

    It is called in the event loop after a model failed, and would try ten times. With a Redis that does not answer,
    all requests of the process would wait for that.
    """
    retry = importlib.import_module("redis.retry")
    backoff = importlib.import_module("redis.backoff")
    router.cache.redis_cache.redis_client.set_retry(retry.Retry(backoff.NoBackoff(), 0))


@contextmanager
def _expected() -> Iterator[None]:
    try:
        yield
    except (AttributeError, ImportError, TypeError) as error:
        raise StartError(f"this LiteLLM is not the pinned version: {type(error).__name__}: {error}") from error
