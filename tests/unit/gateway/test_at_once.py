"""The executor without threads: what is given to it is done there and then."""

from __future__ import annotations

import asyncio
import threading

import pytest

from gateway.at_once import AtOnce


def run(work: object) -> object:
    async def within() -> object:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(AtOnce())
        return await loop.run_in_executor(None, work)  # type: ignore[arg-type]

    return asyncio.run(within())


def test_work_is_done_in_the_same_thread() -> None:
    assert run(threading.get_ident) == threading.get_ident()


def test_what_work_raises_is_raised() -> None:
    with pytest.raises(ValueError, match="x"):
        run(lambda: int("x"))
