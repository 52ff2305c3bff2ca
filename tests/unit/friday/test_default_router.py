"""`invoke_llm` and `stream_llm`: one router per process, from the environment unless configured."""

from collections.abc import Iterator

import pytest

import friday.llm
from friday.llm import LlmRouter, Path, configure, invoke_llm, stream_llm
from friday.llm.errors import ConfigurationError
from tests.unit.friday.given import DIRECT_MODEL, HI, KEY
from tests.unit.friday.upstream import Upstream

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    configure(None)
    yield
    configure(None)


async def test_a_configured_router(router: LlmRouter) -> None:
    configure(router)
    result = await invoke_llm(HI)
    assert result.route is not None
    assert result.route.path is Path.LITELLM
    async with await stream_llm(HI) as answer:
        assert "".join([text async for text in answer]) == "One two three"


async def test_from_the_environment(direct: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_BASE_URL", direct.url)
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    monkeypatch.setenv("OPENROUTER_MODEL", DIRECT_MODEL)
    monkeypatch.delenv("ENABLE_LITELLM", raising=False)
    assert (await invoke_llm(HI)).model == DIRECT_MODEL
    first = friday.llm._current()
    assert (await invoke_llm(HI)).model == DIRECT_MODEL
    assert friday.llm._current() is first
    await first.aclose()


async def test_a_wrong_environment_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITELLM_BASE_URL", "nowhere")
    with pytest.raises(ConfigurationError) as caught:
        await invoke_llm(HI)
    assert caught.value.field == "LITELLM_BASE_URL"


def test_every_public_name_exists() -> None:
    assert sorted(friday.llm.__all__) == friday.llm.__all__
    assert all(hasattr(friday.llm, name) for name in friday.llm.__all__)
