"""The gateway answers under every name, falls back, gives up in time and leaves in order."""

from __future__ import annotations

import concurrent.futures
import json
import signal
import time
from collections.abc import Iterator

import httpx
import pytest

from components.catalogue import Catalogue, default_models
from components.free_models import RouterTuning
from testing.meanwhile import until
from tests.integration.gateway_container import CHAT, KEYS, GatewayContainer, error_of, gateway
from tests.integration.gateway_upstream import CHUNKS, UPSTREAM_WORDS, USER_ID, Upstream

pytestmark = pytest.mark.engine
CATALOGUE = Catalogue(models=default_models())
IDS = [model.id for model in CATALOGUE.models]
FIRST, SECOND = IDS[0], IDS[1]
STATUSES = ("400", "402", "404", "500", "closed", "empty", "finish-error", "no-vision")
QUICK = RouterTuning(timeout_seconds=1, stream_timeout_seconds=1, cooldown_seconds=1, deadline_seconds=8)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    made = Upstream()
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared_upstream() -> Iterator[Upstream]:
    made = Upstream()
    yield made
    made.close()


@pytest.fixture(scope="module")
def quick(shared_upstream: Upstream) -> Iterator[GatewayContainer]:
    """Run one gateway with short times for all tests of what it answers; cooled models are back after 1 s."""
    with gateway(shared_upstream, tuning=QUICK) as running:
        yield running


@pytest.fixture(autouse=True)
def _rested(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if {"quick", "shared_upstream"} <= set(request.fixturenames):
        used: Upstream = request.getfixturevalue("shared_upstream")
        if used.faults:
            time.sleep(QUICK.cooldown_seconds + 0.5)
        used.reset()


def said(stream: str) -> str:
    return "".join(f"w{number} " for number in range(CHUNKS) if f'"w{number} "' in stream)


def test_every_name_is_answered_by_its_model(quick: GatewayContainer, shared_upstream: Upstream) -> None:
    shared_upstream.reset()
    for name, model in CATALOGUE.client_names():
        answer = quick.chat(model=name)
        assert (answer.status_code, answer.headers["x-gateway-model"]) == (200, model.id), name
    assert len(shared_upstream.received) == len(list(CATALOGUE.client_names()))


def test_thoughts_go_to_the_model_and_the_lock_on_the_price_stays(
    quick: GatewayContainer, shared_upstream: Upstream
) -> None:
    shared_upstream.reset()
    details = [{"type": "reasoning.text", "text": "hm", "signature": "s"}]
    earlier = {"role": "assistant", "content": "a", "reasoning": "hm", "reasoning_details": details}
    said = [*CHAT["messages"], earlier, *CHAT["messages"]]
    assert quick.chat(messages=said, reasoning={"effort": "low", "provider": {}}).status_code == 200
    body = shared_upstream.received[0].body
    assert (body["reasoning"], body["messages"][1]) == ({"effort": "low"}, earlier)
    assert body["provider"]["max_price"] == {"prompt": 0, "completion": 0, "request": 0, "image": 0}


def test_the_list_of_models_is_the_list_of_names(quick: GatewayContainer) -> None:
    listed = [entry["id"] for entry in quick.request("GET", "/v1/models").json()["data"]]
    assert listed == [name for name, _ in CATALOGUE.client_names()]


def test_a_stream_arrives_piece_by_piece(quick: GatewayContainer) -> None:
    answer = quick.chat(stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert said(answer.text) == "".join(f"w{number} " for number in range(CHUNKS))
    assert answer.text.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize(
    "fault",
    ["429", "503", "hang", *(pytest.param(status, marks=pytest.mark.slow) for status in STATUSES)],
)
@pytest.mark.parametrize("stream", [False, True])
def test_the_next_model_answers_when_the_first_fails(
    quick: GatewayContainer, shared_upstream: Upstream, fault: str, stream: bool
) -> None:
    shared_upstream.reset(**{FIRST: fault})
    answer = quick.chat(stream=stream)
    assert (answer.status_code, answer.headers["x-gateway-model"]) == (200, SECOND)
    assert shared_upstream.models == [FIRST, SECOND]
    assert '"up-' not in answer.text
    # What answered may be asked by the name that it gives.
    named = json.loads(answer.text.split("\n")[0].removeprefix("data: "))["model"]
    assert named == f"openrouter/{SECOND}"
    assert quick.request("GET", f"/v1/models/{named}").status_code == 200


def test_a_hung_model_in_second_place_cools_too(upstream: Upstream) -> None:
    upstream.reset(**{FIRST: "hang", SECOND: "hang"})
    with gateway(upstream, tuning=RouterTuning(timeout_seconds=1, stream_timeout_seconds=1)) as running:
        answers = [running.chat() for _ in range(3)]
        assert [answer.headers["x-gateway-model"] for answer in answers] == [IDS[2]] * 3
        assert upstream.models == [FIRST, SECOND, *[IDS[2]] * 3]
        found = running.request("GET", "/health/summary").json()
        assert [each["model"] for each in found["unhealthy_endpoints"]] == [
            f"openrouter/{FIRST}",
            f"openrouter/{SECOND}",
        ]
        assert (found["healthy_count"], found["unhealthy_count"]) == (len(IDS) - 2, 2)
        assert len(upstream.models) == 5  # no model was called for that


def test_all_models_dead_is_a_clear_error_and_then_rest(quick: GatewayContainer, shared_upstream: Upstream) -> None:
    shared_upstream.reset(**{"*": "429"})
    first, second = quick.chat(), quick.chat()
    assert (first.status_code, error_of(first)) == (429, "models_busy")
    assert (second.status_code, error_of(second)) == (429, "models_busy")
    assert int(second.headers["retry-after"]) == 1  # what is left, not the whole
    assert len(shared_upstream.received) == len(IDS)
    assert USER_ID not in first.text + second.text


@pytest.mark.parametrize("fault", ["error-in-stream", "half", "unreadable-event", "finish-error-midway"])
def test_a_stream_that_fails_midway_ends_with_an_error_event(
    quick: GatewayContainer, shared_upstream: Upstream, fault: str
) -> None:
    shared_upstream.reset(**{"*": fault})
    answer = quick.chat(stream=True)
    assert said(answer.text).startswith("w0 w1 w2 w3 ")
    assert '"code": "upstream_failed"' in answer.text
    assert "[DONE]" not in answer.text
    assert UPSTREAM_WORDS not in answer.text


def test_the_deadline_ends_what_no_model_answers(upstream: Upstream) -> None:
    upstream.reset(**{"*": "hang"})
    tuning = RouterTuning(timeout_seconds=1, stream_timeout_seconds=1, deadline_seconds=2.5)
    with gateway(upstream, tuning=tuning) as running:
        took, answer = running.timed_chat()
        assert (answer.status_code, error_of(answer)) == (504, "upstream_timeout")
        assert 2.4 < took < 4


def test_a_dead_first_model_costs_one_caller_less_than_five_seconds(upstream: Upstream) -> None:
    """With the default times. The second figure's real limit is measured in benchmarks, on a quiet machine."""
    with gateway(upstream) as running:
        running.chat()
        upstream.reset(**{FIRST: "hang"})
        first, answer = running.timed_chat()
        assert answer.headers["x-gateway-model"] == SECOND
        following = [running.timed_chat()[0] for _ in range(5)]
        assert first < 5
        assert min(following) < 0.5
        assert upstream.models == [FIRST, *[SECOND] * 6]


@pytest.mark.parametrize("stream", [False, True])
def test_when_openrouter_says_the_account_is_spent_no_other_model_is_asked(
    quick: GatewayContainer, shared_upstream: Upstream, stream: bool
) -> None:
    shared_upstream.reset(**{"*": "account-spent"})
    answer = quick.chat(stream=stream)
    assert (answer.status_code, error_of(answer)) == (429, "quota_spent")
    assert 1 <= int(answer.headers["retry-after"]) <= 86_400
    assert shared_upstream.models == [FIRST]


@pytest.mark.parametrize("stream", [False, True])
def test_an_account_that_is_refused_makes_one_call_and_is_served_once_it_is_right(
    quick: GatewayContainer, shared_upstream: Upstream, stream: bool
) -> None:
    shared_upstream.reset(**{"*": "data-policy"})
    answer = quick.chat(stream=stream)
    assert (answer.status_code, error_of(answer)) == (502, "account_data_policy")
    assert shared_upstream.models == [FIRST]
    assert "OpenRouter refuses the account: data_policy" in quick.logs
    assert (quick.metric("gateway_account_refused_total") or 0) >= 1
    shared_upstream.reset()
    assert quick.chat(stream=stream).headers["x-gateway-model"] == FIRST


@pytest.mark.parametrize(
    ("fault", "code", "param"),
    [
        ("bad-name", "bad_request", "tools[0].function.name"),
        ("no-vision", "unsupported", None),
    ],
)
def test_a_request_that_no_model_takes_costs_two_calls_and_leaves_no_model_out(
    quick: GatewayContainer, shared_upstream: Upstream, fault: str, code: str, param: str | None
) -> None:
    shared_upstream.reset(**{"*": fault})
    for _ in range(3):
        answer = quick.chat()
        assert (answer.status_code, error_of(answer), answer.json()["error"]["param"]) == (400, code, param)
        assert UPSTREAM_WORDS not in answer.text
    assert shared_upstream.models == [FIRST, SECOND] * 3
    shared_upstream.reset()
    assert {quick.chat().headers["x-gateway-model"] for _ in range(3)} == {FIRST}


def test_comments_do_not_keep_a_call_and_thoughts_do(upstream: Upstream) -> None:
    tuning = RouterTuning(timeout_seconds=1, stream_timeout_seconds=1, first_token_seconds=1)
    with gateway(upstream, tuning=tuning) as running:
        upstream.reset(**{FIRST: "thinks"})
        answer = running.chat(stream=True)
        assert answer.headers["x-gateway-model"] == FIRST
        assert answer.text.count('"reasoning_content":"Hm. "') == 6
        upstream.reset(**{FIRST: "comments"})
        assert running.chat(stream=True).headers["x-gateway-model"] == SECOND
        assert running.chat(stream=True).headers["x-gateway-model"] == SECOND
        assert upstream.models == [FIRST, SECOND, SECOND]


def test_told_to_leave_it_drains(upstream: Upstream) -> None:
    with gateway(upstream, DRAIN_SECONDS="3") as running, concurrent.futures.ThreadPoolExecutor() as pool:
        running.chat()
        stream = pool.submit(running.chat, stream=True)
        until(lambda: len(upstream.received) == 2, "a stream that runs", 20)
        running.container.kill(signal=signal.SIGTERM)
        begun = time.monotonic()
        until(lambda: health(running).status_code == 503, "a replica that says it leaves", 3)
        assert health(running).headers["connection"] == "close"
        assert running.chat().headers["connection"] == "close"
        assert said(stream.result().text) == "".join(f"w{number} " for number in range(CHUNKS))
        assert running.container.wait(timeout=30)["StatusCode"] == 0
        assert time.monotonic() - begun < 10


def health(running: GatewayContainer) -> httpx.Response:
    return running.request("GET", "/health/liveliness", None)


def test_a_client_that_goes_away_stops_the_attempts(upstream: Upstream) -> None:
    upstream.reset(**{"*": "hang"})
    tuning = RouterTuning(timeout_seconds=1, stream_timeout_seconds=1)
    with gateway(upstream, tuning=tuning) as running:
        with pytest.raises(Exception, match="timed out"):
            running.request("POST", "/v1/chat/completions", json=CHAT, timeout=0.5)
        time.sleep(3)
        assert len(upstream.received) <= 2


def test_many_at_once_are_all_answered(quick: GatewayContainer) -> None:
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: quick.chat().status_code, range(60)))
    assert answers == [200] * 60


def test_nothing_is_written_outside_tmp_and_no_key_is_in_the_environment(quick: GatewayContainer) -> None:
    assert quick.container.attrs["HostConfig"]["ReadonlyRootfs"] is True
    shown = " ".join(quick.container.attrs["Config"]["Env"])
    assert not [key for key in KEYS.values() if key in shown]
