"""A streamed answer as the caller sees it."""

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from friday.llm.client import ChatStream
from friday.llm.errors import LlmError
from friday.llm.monitoring.observer import CallRecord
from friday.llm.types import InvokeResult, Route


class AnswerStream:
    """Iterate for text; `result` holds the whole answer afterwards. Close it, or use `async with`.

    `route` and `model` are known from the start, because the first text has already arrived.
    Iterating raises StreamBroken when the answer ends early; the text so far is then not the answer,
    and no other path continues it.
    """

    def __init__(self, source: ChatStream, call: CallRecord) -> None:
        self.route: Route = call.route
        self.model = source.model
        self.result: InvokeResult | None = None
        self._source = source
        self._call = call

    async def __aiter__(self) -> AsyncIterator[str]:
        """Yield the text piece by piece."""
        try:
            async for text in self._source:
                yield text
        except LlmError as error:
            error.path = self.route.path
            self._call.attempt_failed(self.route.path, error)
            self._call.fail(error)
            raise
        self.result = self._source.result
        if self.result is not None:
            self.result.route = self.route
            self._call.succeed(self.result)

    async def aclose(self) -> None:
        """End the stream; it counts as cancelled when it was not read to its end."""
        self._call.fail(asyncio.CancelledError())
        await self._source.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
