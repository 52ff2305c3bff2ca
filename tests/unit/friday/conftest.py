"""Two fake upstreams, and a router or the whole service between them."""

from collections.abc import AsyncIterator

import httpx
import pytest

from friday.llm import LlmRouter
from tests.unit.friday.given import DIRECT_MODEL, config
from tests.unit.friday.served import serve, settings
from tests.unit.friday.upstream import Upstream


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def gateway() -> AsyncIterator[Upstream]:
    async with Upstream(model="openrouter/z-ai/glm-4.5-air:free") as upstream:
        yield upstream


@pytest.fixture
async def direct() -> AsyncIterator[Upstream]:
    async with Upstream(model=DIRECT_MODEL) as upstream:
        yield upstream


@pytest.fixture
async def router(gateway: Upstream, direct: Upstream) -> AsyncIterator[LlmRouter]:
    """Everybody is on LiteLLM."""
    made = LlmRouter(config(gateway, direct, rollout_percentage=100))
    yield made
    await made.aclose()


@pytest.fixture
async def http(gateway: Upstream, direct: Upstream) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the service; half of the users are on LiteLLM."""
    async for client in serve(settings(gateway, direct)):
        yield client
