"""Ask a free model a question, through the LiteLLM gateway or directly: the same call, the same answer.

    from friday.llm import Caller, invoke_llm

    result = await invoke_llm({"messages": [{"role": "user", "content": "Hi"}]}, Caller(user_id=7))
    print(result.text, result.model, result.route.path)

The path follows ENABLE_LITELLM, LITELLM_TESTERS, LITELLM_ROLLOUT_PERCENTAGE and the user id (`decide`). When the
gateway fails, the direct path answers. `configure` sets the process's router; without it the first call makes one
from the environment.
"""

import os

from friday.llm.config import LlmConfig, read_environment
from friday.llm.constants import Feature, Path
from friday.llm.decision import decide
from friday.llm.errors import LlmError
from friday.llm.router import AnswerStream, LlmRouter, Params
from friday.llm.types import Caller, InvokeParams, InvokeResult, Message, Route

__all__ = [
    "AnswerStream",
    "Caller",
    "Feature",
    "InvokeParams",
    "InvokeResult",
    "LlmConfig",
    "LlmError",
    "LlmRouter",
    "Message",
    "Path",
    "Route",
    "configure",
    "decide",
    "invoke_llm",
    "stream_llm",
]

_router: LlmRouter | None = None


def configure(router: LlmRouter | None) -> None:
    """Make `router` the one that `invoke_llm` and `stream_llm` use; None removes it. Closing it is up to you."""
    global _router  # noqa: PLW0603 (the only state of the process, so that callers need not pass a router on)
    _router = router


def _current() -> LlmRouter:
    global _router  # noqa: PLW0603
    _router = _router or LlmRouter(read_environment(LlmConfig, os.environ))
    return _router


async def invoke_llm(params: Params, caller: Caller | None = None) -> InvokeResult:
    """Return a whole answer; `result.route` says which path gave it.

    One deadline covers the call, a fallback included. Raises a subclass of LlmError: InvalidRequest and
    ConfigurationError before any request, otherwise the direct path's error, with the gateway's error
    as its cause. Cancelling the task ends the request.
    """
    return await _current().invoke(params, caller)


async def stream_llm(params: Params, caller: Caller | None = None) -> AnswerStream:
    """Return a streamed answer once its first text has arrived; until then the call can fall back.

    Raises like `invoke_llm`; iterating the answer raises StreamBroken when it ends early.
    """
    return await _current().stream(params, caller)
