"""A client that goes away: what is done for it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from serving.drain import Receive


@asynccontextmanager
async def while_connected(receive: Receive) -> AsyncIterator[None]:
    """Run a block until the client goes away: then the block is cancelled, and ends here without an exception."""
    task, left = asyncio.current_task(), False
    assert task is not None  # noqa: S101  # a coroutine runs in one

    async def watch() -> None:
        nonlocal left
        while (await receive())["type"] != "http.disconnect":
            pass
        left = True
        task.cancel()

    watching = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        if not left or task.cancelling() > 1:  # somebody else ends it too
            raise
    finally:
        watching.cancel()
        if left:
            task.uncancel()
