"""Which path uses a proxy of the environment."""

import pytest
from pydantic import SecretStr

from friday.llm import LlmConfig, LlmRouter, errors
from tests.unit.friday.given import DIRECT_MODEL, HI, KEY, config
from tests.unit.friday.upstream import Exchange, Upstream

pytestmark = pytest.mark.anyio


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
