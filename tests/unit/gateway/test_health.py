"""What the gateway says of its health, and what it shows its operator."""

from __future__ import annotations

import pytest

from gateway.quota import Quota
from gateway.rests import Rest
from tests.unit.gateway.given import DEPLOYMENTS, EDGE_KEY, GATEWAY_KEY, OPS_KEY, Client, calling, failing, gateway


@pytest.mark.parametrize("key", [GATEWAY_KEY, EDGE_KEY])
def test_the_summary_of_health_is_in_litellms_form_and_calls_no_model(key: str) -> None:
    client = Client(resting={"other/two:free": Rest(41.2, "busy")}, quota=Quota(1))
    seen = [client.request("GET", "/health/summary", key=key).json() for _ in range(2)]
    assert seen[0] == seen[1]  # asking costs no call of the quota
    assert seen[0] == {
        "healthy_endpoints": [{"model": DEPLOYMENTS["dep-one"]}],
        "unhealthy_endpoints": [{"model": DEPLOYMENTS["dep-two"], "error": "left out for 42 s: busy"}],
        "healthy_count": 1,
        "unhealthy_count": 1,
    }
    assert client.inner.bodies == []


@pytest.mark.parametrize("resting", [{}, dict.fromkeys(gateway().called_models(), Rest(5, "gone"))])
def test_nothing_is_healthy_when_no_model_could_answer_now(resting: dict[str, Rest]) -> None:
    quota = Quota(1)
    client = Client(calling(quota), resting=resting, quota=quota)
    if not resting:
        client.chat()  # spends the quota
    found = client.request("GET", "/health/summary").json()
    assert (found["healthy_count"], found["unhealthy_count"]) == (0, len(DEPLOYMENTS))
    errors = {each["error"] for each in found["unhealthy_endpoints"]}
    assert errors == {"left out for 5 s: gone" if resting else "the account's free calls are spent for 62 s"}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/metrics", "gateway_quota_requests_per_minute 100.0"),
        ("/metrics/", "gateway_in_flight 0.0"),
        ("/health/readiness/details", '"status":"healthy"'),
    ],
)
def test_the_operator_gets_through(path: str, said: str) -> None:
    answer = Client().request("GET", path, key=OPS_KEY)
    assert answer.status_code == 200
    assert said in answer.text


@pytest.mark.parametrize(
    ("path", "said"), [("liveliness", "I'm alive!"), ("liveness", "I'm alive!"), ("readiness", '"status":"healthy"')]
)
def test_health_needs_no_model_and_no_key(path: str, said: str) -> None:
    client = Client()
    assert said in client.request("GET", f"/health/{path}", key=None).text
    assert client.inner.bodies == []


def test_deep_health_asks_one_model_and_no_other_when_it_fails() -> None:
    client = Client()
    found = client.request("GET", "/health?model=gemma-4-31b&x=1", key=OPS_KEY)
    assert found.json() == {
        "healthy_endpoints": [{"model": DEPLOYMENTS["dep-one"], "model_id": "dep-one"}],
        "unhealthy_endpoints": [],
        "healthy_count": 1,
        "unhealthy_count": 0,
    }
    assert client.inner.chat["model"] == "up-one"  # a group has no fallbacks
    assert client.counted("gateway_chats_total", status="200") == 0
    assert Client(failing(408)).request("GET", "/health?model=gemma-4-31b", key=OPS_KEY).status_code == 504


@pytest.mark.parametrize("query", ["", "?model=", "?model=up-x", "?model=openai/gpt-4o"])
def test_deep_health_never_asks_all_models(query: str) -> None:
    client = Client()
    assert client.request("GET", f"/health{query}", key=OPS_KEY).status_code == 400
    assert client.inner.bodies == []
