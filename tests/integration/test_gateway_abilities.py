"""A request that a model cannot take goes to one that can, and leaves everybody else's model alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from components.catalogue import FREE_ROUTER, Catalogue, FreeModel, default_models
from components.free_models import SIMULATOR, RouterTuning, litellm_config
from components.litellm_schema import ZERO_PRICE
from tests.integration.gateway_container import GatewayContainer, base_url, error_of, gateway
from tests.integration.gateway_upstream import Upstream

pytestmark = pytest.mark.engine
IDS = [model.id for model in default_models()]
TOOLS = [{"type": "function", "function": {"name": "list_leads"}}]
PICTURE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}]


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    made = Upstream()
    yield made
    made.close()


@pytest.fixture(scope="module")
def choosy(upstream: Upstream) -> Iterator[GatewayContainer]:
    """Run a gateway whose first model takes text alone, the second no tools, none pictures; it has the router too."""
    router = FreeModel(name="any-free", id=FREE_ROUTER)
    catalogue = Catalogue(models=(router, *default_models()))
    config = litellm_config(catalogue, RouterTuning(), upstream=SIMULATOR)
    known: dict[str, dict[str, Any]] = {f"dep-{model.name}": {"takes": ["tools"]} for model in catalogue.models}
    _, first, second = list(known)[:3]
    known |= {first: {"takes": [], "context_tokens": 8192}, second: {"takes": ["response_format"]}}
    config["gateway_settings"]["models"] = known
    with gateway(upstream, config=yaml.safe_dump(config).replace(SIMULATOR, base_url(upstream))) as running:
        yield running


def test_tools_go_to_a_model_that_takes_them_and_nothing_rests(choosy: GatewayContainer, upstream: Upstream) -> None:
    upstream.reset()
    answer = choosy.chat(tools=TOOLS)
    assert (answer.status_code, answer.headers["x-gateway-model"]) == (200, IDS[2])
    assert upstream.models == [IDS[2]]
    streamed = choosy.chat(tools=TOOLS, stream=True)
    assert (streamed.status_code, streamed.headers["x-gateway-model"]) == (200, IDS[2])
    assert choosy.chat(max_tokens=8192).headers["x-gateway-model"] == IDS[1]
    assert {choosy.chat().headers["x-gateway-model"] for _ in range(50)} == {IDS[0]}
    assert choosy.metric("gateway_model_rest_seconds_total") is None


def test_a_model_that_takes_it_and_fails_is_replaced_by_the_next_that_does(
    choosy: GatewayContainer, upstream: Upstream
) -> None:
    upstream.reset(**{IDS[2]: "500"})
    answer = choosy.chat(tools=TOOLS)
    assert (answer.status_code, upstream.models) == (200, [IDS[2], IDS[3]])


def test_what_no_model_takes_costs_no_call(choosy: GatewayContainer, upstream: Upstream) -> None:
    upstream.reset()
    answer = choosy.chat(messages=PICTURE)
    assert (answer.status_code, error_of(answer)) == (400, "unsupported_by_models")
    assert answer.json()["error"]["param"] == "messages[0].content[0]"
    assert upstream.received == []


def test_openrouters_router_is_the_last_resort_and_may_cost_nothing(
    choosy: GatewayContainer, upstream: Upstream
) -> None:
    upstream.reset(**dict.fromkeys(IDS, "500"))
    answer = choosy.chat()
    assert (answer.status_code, upstream.models) == (200, [*IDS, FREE_ROUTER])
    assert upstream.received[-1].body["provider"] == {"max_price": ZERO_PRICE}
    assert choosy.chat(model="any-free").headers["x-gateway-model"] == FREE_ROUTER
