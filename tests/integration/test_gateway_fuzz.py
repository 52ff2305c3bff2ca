"""Bodies that nobody wrote, sent to the real gateway: no answer is a failure of ours, and what passes is answered."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from tests.integration.gateway_container import GatewayContainer, gateway
from tests.integration.gateway_upstream import Upstream
from tests.unit.gateway.test_fuzz import any_body

pytestmark = [pytest.mark.engine, pytest.mark.beside]


@pytest.fixture(scope="module")
def running() -> Iterator[GatewayContainer]:
    upstream = Upstream()
    with gateway(upstream) as started:
        yield started
    upstream.close()


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(body=any_body)
def test_every_body_is_answered_or_refused(running: GatewayContainer, body: object) -> None:
    answer = running.request("POST", "/v1/chat/completions", content=json.dumps(body))
    assert answer.status_code in (200, 400, 403), answer.text
