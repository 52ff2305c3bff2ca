"""Connections of Friday: httpx' own behaviour, with names that are remembered."""

import asyncio
import socket

import httpx
import pytest

from friday.llm.transport import Connections
from serving.names import Addresses, Names
from tests.unit.friday.upstream import Exchange, Upstream

pytestmark = pytest.mark.anyio

NOBODY = (socket.AF_INET, "127.0.0.9")
HERE = (socket.AF_INET, "127.0.0.1")
LIMITS = httpx.Limits()


def client(*answers: Addresses | Exception) -> httpx.AsyncClient:
    left = list(answers)

    async def ask(_: str) -> Addresses:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    # Each request makes a connection of its own, and so asks for the name.
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(transport=Connections(limits, Names(ask)), timeout=5)


def port_of(upstream: Upstream) -> int:
    return int(upstream.url.rpartition(":")[2].partition("/")[0])


async def close_at_once(exchange: Exchange) -> bool:
    return False


async def test_the_next_address_is_tried_and_the_host_header_stays(direct: Upstream) -> None:
    url = f"http://friday.test:{port_of(direct)}/x"
    async with client((NOBODY, HERE)) as http:
        assert (await http.post(url, json={})).status_code == 200
    assert direct.requests[0].headers["host"] == f"friday.test:{port_of(direct)}"


async def test_the_name_server_may_go_away(direct: Upstream) -> None:
    url = f"http://friday.test:{port_of(direct)}/x"
    async with client((HERE,), socket.gaierror(socket.EAI_AGAIN, "away")) as http:
        assert [(await http.post(url, json={})).status_code for _ in range(2)] == [200, 200]


async def test_errors_are_those_of_httpx(direct: Upstream) -> None:
    port = port_of(direct)
    async with client((NOBODY,), socket.gaierror(socket.EAI_NONAME, "not known"), (HERE,)) as http:
        for _ in range(2):
            with pytest.raises(httpx.ConnectError):
                await http.post(f"http://friday.test:{port}/x", json={})
        direct.always = close_at_once
        with pytest.raises(httpx.RemoteProtocolError):
            await http.post(f"http://friday.test:{port}/x", json={})


async def test_a_silent_name_server_is_a_connection_that_takes_too_long() -> None:
    async def ask(_: str) -> Addresses:
        await asyncio.Event().wait()
        raise AssertionError

    async with httpx.AsyncClient(transport=Connections(LIMITS, Names(ask)), timeout=0.05) as http:
        with pytest.raises(httpx.ConnectTimeout):
            await http.post("http://friday.test/x")
