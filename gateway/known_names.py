"""The names that our config and our code use of LiteLLM, compared with those that the installed one knows.

It passes over a setting that it does not know, and an error without its status would not count against the quota.
Where LiteLLM declares a name (a model's field, a parameter, an attribute of the module), the declaration is asked. The
few settings that it only looks up are searched for in the code that reads them.
"""

import importlib
import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from types import CodeType
from typing import Any

from gateway.environment import StartError

Known = Callable[[str], bool]

_STATUS = {
    "BadRequestError": 400,
    "ContextWindowExceededError": 400,
    "ContentPolicyViolationError": 400,
    "AuthenticationError": 401,
    "NotFoundError": 404,
    "Timeout": 408,
    "RateLimitError": 429,
    "InternalServerError": 500,
    "BadGatewayError": 502,
    "ServiceUnavailableError": 503,
}
"""The errors that our config or our code names, and the `status_code` by which the filter tells them."""


def require(config: Mapping[str, Any]) -> None:
    """Raise StartError with every name of a config, and every error, that this LiteLLM does not know."""
    unknown = [*_unknown(config), *_other_errors()]
    if unknown:
        raise StartError(f"this LiteLLM does not know {', '.join(unknown)}: renamed or dropped?")


def _other_errors() -> Iterator[str]:
    litellm = importlib.import_module("litellm")
    for name, status in _STATUS.items():
        try:
            found = getattr(litellm, name)(message="-", model="-", llm_provider="openrouter").status_code
        except (AttributeError, TypeError):
            found = None
        if found != status:
            yield f"{name} with status_code {status} (found {found})"


def _unknown(config: Mapping[str, Any]) -> Iterator[str]:
    for where, found, knows in _places(config):
        yield from (f"{where}.{name}" for name in found if not knows(name))


def _places(config: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], Known]]:
    """Yield each map of the config: where it is, the map, and what tells whether LiteLLM knows a name in it."""
    litellm, router, types = (
        importlib.import_module(name) for name in ("litellm", "litellm.router", "litellm.types.router")
    )
    sent = texts_in(inspect.unwrap(litellm.completion).__code__)
    yield "router_settings", config["router_settings"], _parameters(router.Router)
    yield "litellm_settings", config["litellm_settings"], lambda name: hasattr(litellm, name)
    for number, entry in enumerate(config["model_list"]):
        where = f"model_list[{number}]"
        yield where, entry, _fields(types.Deployment)
        yield f"{where}.litellm_params", entry["litellm_params"], _fields(types.LiteLLM_Params, sent)
        yield f"{where}.model_info", entry["model_info"], _fields(types.ModelInfo)


def _fields(model: Any, others: Collection[str] = ()) -> Known:
    return lambda name: name in model.model_fields or name in others


def _parameters(kind: Any) -> Known:
    """Return what knows the parameters of a class's constructor; `**kwargs` stands for none."""
    names = inspect.signature(kind.__init__).parameters
    return lambda name: name in names


def texts_in(code: CodeType) -> set[str]:
    """Return every text in a function's code, also in functions inside of it."""
    found: set[str] = set()
    for constant in code.co_consts:
        if isinstance(constant, str):
            found.add(constant)
        elif isinstance(constant, CodeType):
            found |= texts_in(constant)
    return found
