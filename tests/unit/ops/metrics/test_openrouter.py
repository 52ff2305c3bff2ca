"""What OpenRouter says of a key: dollars since a moment, the account's daily limit; and of its models."""

import datetime as dt
import json

import httpx
import pytest

from components.free_models import OPENROUTER
from ops.hosts.docker_host import DockerHost
from ops.hosts.in_container import InContainer
from ops.metrics.openrouter import (
    KeyUsage,
    RefusedError,
    catalogue,
    key_usage,
    keys_of,
    reached_at,
    without_retention,
)
from ops.metrics.server import SilentError
from tests.unit.given import settings

TUESDAY = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)


def answering(status: int, document: object, path: str = "/api/v1/key") -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == path
        assert request.headers.get("authorization") == ("Bearer sk-secret" if path.endswith("key") else None)
        return httpx.Response(status, text=json.dumps(document))

    return httpx.MockTransport(answer)


def test_a_keys_usage_is_read() -> None:
    daily = {"limit": 50, "used": 1, "remaining": 49}
    data = {"usage": 1.5, "usage_daily": 0, "free_model_daily_requests": daily, "label": "x"}
    found = key_usage("http://router/api/v1", "sk-secret", answering(200, {"data": data}))
    assert (found.usage, found.usage_daily, found.requests_per_day) == (1.5, 0, 50)
    assert found.requests_left == 49
    assert (KeyUsage(usage=0).requests_per_day, KeyUsage(usage=0).requests_left) == (None, None)


@pytest.mark.parametrize(
    ("status", "document", "words"),
    [
        (401, {"error": "sk-secret"}, "answers 401"),
        (200, {"data": {}}, "no OpenRouter"),
        (200, [], "no OpenRouter"),
        (200, {"data": {"usage": 0, "free_model_daily_requests": {"limit": -1}}}, "no OpenRouter"),
    ],
)
def test_no_usable_answer_is_told_without_the_key(status: int, document: object, words: str) -> None:
    with pytest.raises(SilentError, match=words) as caught:
        key_usage("http://router/api/v1", "sk-secret", answering(status, document))
    assert "sk-secret" not in str(caught.value)


@pytest.mark.parametrize(("status", "refused"), [(401, True), (403, True), (429, False), (500, False)])
def test_a_key_that_is_not_let_in_is_told_from_an_openrouter_that_is_ill(status: int, refused: bool) -> None:
    with pytest.raises(SilentError) as caught:
        key_usage("http://router/api/v1", "sk-secret", answering(status, {}))
    assert isinstance(caught.value, RefusedError) == refused


def test_models_are_read_whatever_their_fields_look_like() -> None:
    models = [{"id": "a/b:free", "pricing": {"prompt": "0"}}, {"id": "c/d", "pricing": 7, "expiration_date": 1}]
    found = catalogue("http://router/api/v1", answering(200, {"data": models}, "/api/v1/models"))
    assert found["a/b:free"].pricing == {"prompt": "0"}
    assert (found["c/d"].pricing, found["c/d"].expiration_date) == (7, 1)
    with pytest.raises(SilentError, match="no OpenRouter"):
        catalogue("http://router/api/v1", answering(200, {"data": None}, "/api/v1/models"))


def test_one_key_for_both_paths_is_one_key() -> None:
    assert keys_of(settings(openrouterApiKey="k" * 16, fridayOpenrouterApiKey="k" * 16)) == {
        "openrouterApiKey": "k" * 16
    }
    assert list(keys_of(settings())) == ["openrouterApiKey", "fridayOpenrouterApiKey"]


def test_a_simulator_on_another_host_is_asked_inside_its_container() -> None:
    def unwanted() -> list[DockerHost]:
        pytest.fail("no host is needed")

    assert reached_at("t", settings(upstream="openrouter"), unwanted) == (OPENROUTER, None)
    assert reached_at("t", settings(), unwanted) == ("http://127.0.0.1:4100/api/v1", None)
    url, transport = reached_at("t", settings(dockerHost="ssh://deploy@host.example"), list)
    assert url == "http://simulator:8080/api/v1"
    assert isinstance(transport, InContainer)


def test_an_openrouter_that_is_not_there_is_told() -> None:
    with pytest.raises(SilentError, match="does not answer"):
        key_usage("http://127.0.0.1:9/api/v1", "sk-secret")


@pytest.mark.parametrize(
    ("began", "dollars"),
    [
        (TUESDAY, 1),  # this day
        (TUESDAY - dt.timedelta(hours=12), 1),
        (TUESDAY - dt.timedelta(hours=13), 2),  # this week: Monday is in it
        (TUESDAY - dt.timedelta(days=2), 3),  # Sunday: this month
        (TUESDAY - dt.timedelta(days=24), 9),  # October: since the key was made
    ],
)
def test_the_shortest_period_that_covers_the_window_counts(began: dt.datetime, dollars: float) -> None:
    usage = KeyUsage(usage=9, usage_daily=1, usage_weekly=2, usage_monthly=3)
    assert usage.since(began, TUESDAY) == dollars


def test_a_key_that_only_knows_its_total_is_taken_by_that() -> None:
    assert KeyUsage(usage=9).since(TUESDAY, TUESDAY) == 9


def test_models_without_retention_are_asked_for_by_their_endpoints() -> None:
    endpoints = [{"model_id": "a/b:free", "name": "x"}, {"model_id": "a/b:free"}, {"name": "no model"}]
    answer = answering(200, {"data": endpoints}, "/api/v1/endpoints/zdr")
    assert without_retention("http://router/api/v1", answer) == {"a/b:free"}
    with pytest.raises(SilentError, match="404"):
        without_retention("http://router/api/v1", answering(404, {}, "/api/v1/endpoints/zdr"))
