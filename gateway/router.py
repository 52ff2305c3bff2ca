"""LiteLLM's router, made of the config that the stack rendered. Its proxy, which serves the same config, is not loaded.

What is used of LiteLLM is its documented interface: `Router`, the module's settings, and callbacks. Raises `StartError`
when LiteLLM is not as expected: a newer LiteLLM ends the start instead of serving without a lock.
"""

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from gateway.environment import StartError

HOOKS = frozenset({"async_pre_call_deployment_hook", "async_filter_deployments"})


def build(config: Mapping[str, Any], guard: object) -> Any:
    """Import LiteLLM, which takes seconds, and return a router that asks `guard` about each call. Raises StartError."""
    with _expected():
        litellm = importlib.import_module("litellm")
        check_hooks(guard, importlib.import_module("litellm.integrations.custom_logger").CustomLogger)
        for name, value in config["litellm_settings"].items():
            setattr(litellm, name, [guard] if name == "callbacks" else value)
        try:
            return litellm.Router(model_list=config["model_list"], **config["router_settings"])
        except (ValueError, litellm.BadRequestError) as error:  # a model that it does not know how to call
            said = str(error).split("\n", maxsplit=1)[0]
            raise StartError(f"LiteLLM did not accept its configuration: {said}") from error


def client(transport: httpx.AsyncBaseTransport) -> Any:
    """Return a client that LiteLLM uses for a call that has it as its parameter `client`. Raises `StartError`."""
    with _expected():
        handler = importlib.import_module("litellm.llms.custom_httpx.http_handler").AsyncHTTPHandler
        return handler(transport=transport, follow_redirects=False)


def check_hooks(guard: object, logger: type) -> None:
    """Raise `StartError` unless `guard` has the hooks, and `logger`, LiteLLM's base of callbacks, knows them."""
    if unknown := sorted(HOOKS - set(dir(logger))):
        raise StartError(f"this LiteLLM does not call {', '.join(unknown)}: calls to paid models would not be stopped")
    if missing := sorted(HOOKS - vars(type(guard)).keys()):
        raise StartError(f"gateway.guard has no {', '.join(missing)}: calls to paid models would not be stopped")


@contextmanager
def _expected() -> Iterator[None]:
    try:
        yield
    except (AttributeError, ImportError, TypeError) as error:
        raise StartError(f"this LiteLLM is not the pinned version: {type(error).__name__}: {error}") from error
