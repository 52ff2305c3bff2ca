"""Reads the body of an answer, whole or as server-sent events, up to the largest size that is accepted."""

from collections.abc import AsyncGenerator, AsyncIterator

import httpx
from httpx_sse import EventSource, ServerSentEvent

from friday.llm import constants, errors


async def read_whole(response: httpx.Response) -> bytes:
    """Return the whole body, decompressed. Raises BadResponse when it is too large, and httpx's errors."""
    return b"".join([part async for part in _limited(response)])


def read_events(response: httpx.Response) -> AsyncGenerator[ServerSentEvent, None]:
    """Yield the events of a stream. Raises SSEError for another content type, else like `read_whole`.

    Neither httpx nor httpx-sse limits how long a line or an event may become, so httpx-sse reads a limited body.
    """
    headers = {"content-type": response.headers.get("content-type", "")}
    return EventSource(httpx.Response(response.status_code, headers=headers, content=_limited(response))).aiter_sse()


async def _limited(response: httpx.Response) -> AsyncIterator[bytes]:
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > constants.MAX_BODY_BYTES:
            raise errors.BadResponse("the answer is too large")
        yield part
