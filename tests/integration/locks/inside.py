"""The gateway's router without its request filter, and of the locks inside only those that are named.

Run inside of the gateway's image: `inside.py LOCK...`. Each input is given to the router as a client's chat would be if
nothing were in front of it. Printed is what became of each, and what was tried beyond the upstream.
"""

import asyncio
import importlib
import json
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from gateway import router, serve
from tests.integration.locks import unlocked
from tests.integration.locks.watch import Watch

AT_ONCE = 8
SECONDS = 20
"""For one input: some make LiteLLM wait before it tries again."""


async def main(locks: Collection[str], inputs: Mapping[str, Mapping[str, Any]]) -> None:
    """Ask for each input; print what became of it by its name."""
    gateway = unlocked.keep(locks)
    serve._prepare_environment(gateway)
    guard, upstream = (importlib.import_module(f"gateway.{name}") for name in ("guard", "upstream"))
    asked = router.build(gateway.rendered, guard.guard)
    limit = asyncio.Semaphore(AT_ONCE)

    async def ask(fields: Mapping[str, Any]) -> str:
        try:
            async with limit, asyncio.timeout(SECONDS):
                await asked.acompletion(**fields)
        except upstream.Answered:
            return "answered"
        except Exception as error:  # LiteLLM's errors have no class in common
            return type(error).__name__
        return "answered by LiteLLM"

    with Watch() as watch:
        # Each in a task of its own: a request's context must not be the next one's.
        became = await asyncio.gather(*(asyncio.create_task(ask(each)) for each in inputs.values()))
        await asyncio.sleep(0.5)
        found = dict(zip(inputs, became, strict=True))
        print(json.dumps({"by_name": found, "foreign": watch.asked, "without_route": watch.without_route}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:], json.loads(Path("/etc/friday/inputs.json").read_text(encoding="utf-8"))))
