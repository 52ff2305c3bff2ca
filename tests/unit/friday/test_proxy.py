"""The small connection pools: spread under load, shared when idle, and the right proxy."""

import asyncio

import httpx
import pytest
from pydantic import SecretStr

from friday.llm import LlmConfig, LlmRouter, constants, errors
from friday.llm.transport import SpreadTransport
from tests.unit.friday.given import DIRECT_MODEL, HI, KEY, config
from tests.unit.friday.upstream import Exchange, Upstream, after, good_answer, hang, plain

pytestmark = pytest.mark.anyio


async def test_many_calls_spread_and_are_all_given_back(gateway: Upstream) -> None:
    gateway.always = after(0.2, plain(good_answer("m")))
    transport = SpreadTransport(gateway.url)
    async with httpx.AsyncClient(transport=transport) as http:
        calls = [asyncio.create_task(http.post(gateway.url, json={})) for _ in range(40)]
        await asyncio.sleep(0.1)
        busy = [pool.running for pool in transport._pools]
        assert len(busy) == constants.POOLS
        assert sum(busy) == 40
        assert max(busy) - min(busy) <= 1
        await asyncio.gather(*calls)
        assert sum(pool.running for pool in transport._pools) == 0


async def test_failed_and_cancelled_calls_are_given_back(gateway: Upstream) -> None:
    gateway.scripts = [hang]
    transport = SpreadTransport(gateway.url)
    async with httpx.AsyncClient(transport=transport) as http:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await http.post(gateway.url, json={})
        with pytest.raises(httpx.ConnectError):
            await http.get("http://127.0.0.1:1")
        assert sum(pool.running for pool in transport._pools) == 0


async def test_only_https_goes_through_the_companys_proxy(
    gateway: Upstream, direct: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def proxy(exchange: Exchange) -> bool:
        await exchange.send(b"HTTP/1.1 502 no way\r\ncontent-length: 0\r\n\r\n")
        return False

    company = direct
    company.always = proxy
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, company.url)
    for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    inside = LlmRouter(config(gateway, gateway))
    assert (await inside.invoke(HI)).text == "Hello"
    await inside.aclose()
    outside = LlmRouter(
        LlmConfig(
            openrouter_base_url="https://openrouter.invalid/api/v1",
            openrouter_api_key=SecretStr(KEY),
            openrouter_model=DIRECT_MODEL,
        )
    )
    with pytest.raises(errors.Unavailable):
        await outside.invoke(HI)
    await outside.aclose()
    assert company.requests[0].path == "openrouter.invalid:443"
