"""What asks no model: the start page, readiness, metrics."""

import httpx
import pytest

from tests.unit.friday.given import DIRECT_MODEL, KEY
from tests.unit.friday.served import metrics_of, serve, settings
from tests.unit.friday.upstream import Upstream

pytestmark = pytest.mark.anyio


async def test_the_start_page_shows_the_rollout(http: httpx.AsyncClient) -> None:
    answer = await http.get("/")
    assert answer.headers["content-type"].startswith("text/html")
    assert "<td>50 %</td>" in answer.text
    assert DIRECT_MODEL in answer.text
    assert KEY not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_readiness(gateway: Upstream, direct: Upstream, http: httpx.AsyncClient) -> None:
    assert (await http.get("/readyz")).json() == {"status": "ready", "direct": True, "gateway": True}
    for percentage, status in (("0", 503), ("50", 503), ("100", 200)):
        alone = settings(gateway, direct, OPENROUTER_API_KEY="", LITELLM_ROLLOUT_PERCENTAGE=percentage)
        async for client in serve(alone):
            assert (await client.get("/readyz")).status_code == status
            assert (await client.get("/healthz")).status_code == 200


async def test_metrics_count_requests_by_known_paths(http: httpx.AsyncClient) -> None:
    await http.get("/healthz")
    await http.get("/made/up")
    text = await metrics_of(http)
    assert 'friday_http_requests_total{path="/healthz",status="200"} 1.0' in text
    assert 'friday_http_requests_total{path="other",status="404"} 1.0' in text
    assert "friday_llm_rollout_percentage 50.0" in text
    assert "process_resident_memory_bytes" in text
    assert "_created" not in text
