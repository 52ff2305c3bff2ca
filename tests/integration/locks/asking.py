"""Send every input to the gateway that runs beside, and say how each was answered and what was tried beyond.

Run inside of the gateway's image, in its network.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from tests.integration.locks.watch import Watch

AT_ONCE = 16


async def main(base: str, inputs: list[dict[str, Any]]) -> None:
    """Ask for each input; print the answers' status by the inputs' names."""
    limit = asyncio.Semaphore(AT_ONCE)
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(base, timeout=timeout) as session:
        await _until_ready(session)
        with Watch() as watch:
            statuses = await asyncio.gather(*(_asked(session, limit, each) for each in inputs))
            await asyncio.sleep(0.5)  # what is tried after an answer
            found = {each["name"]: status for each, status in zip(inputs, statuses, strict=True)}
            print(json.dumps({"by_name": found, "foreign": watch.asked, "without_route": watch.without_route}))


async def _asked(session: aiohttp.ClientSession, limit: asyncio.Semaphore, given: Mapping[str, Any]) -> int:
    async with (
        limit,
        session.request(
            given["method"], given["path"], json=given.get("body"), headers=given["headers"], allow_redirects=False
        ) as answer,
    ):
        await answer.read()
        return answer.status


async def _until_ready(session: aiohttp.ClientSession) -> None:
    for _ in range(600):
        try:
            async with session.get("/health/liveliness") as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            """It is still starting."""
        await asyncio.sleep(0.1)
    raise SystemExit("the gateway did not get ready")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))))
