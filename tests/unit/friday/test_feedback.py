"""Ratings of answers: counted once, for the path that the service itself signed, and never a word of anybody's."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from friday.llm import Path
from friday.service import feedback
from friday.service.feedback import Feedback, FeedbackRefusedError
from friday.service.request_middleware import MAX_SMALL_BYTES
from tests.unit.friday.served import OFF, ON, chat, metrics_of, serve, settings
from tests.unit.friday.upstream import Upstream, close, plain

NOW = 1_700_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Counting:
    """The feedback of one replica, its clock, and what it counted."""

    def __init__(self, secret: bytes = b"s") -> None:
        self.registry, self.clock = CollectorRegistry(), Clock()
        self.feedback = Feedback(secret, self.registry, self.clock)

    def counted(self, path: str = "litellm", rating: str = "down") -> float | None:
        return self.registry.get_sample_value("friday_llm_feedback_total", {"path": path, "rating": rating})


@pytest.fixture
def replica() -> Counting:
    return Counting()


def refusal(replica: Counting, token: str) -> tuple[int, str]:
    with pytest.raises(FeedbackRefusedError) as caught:
        replica.feedback.rate(token, "down")
    return caught.value.status, caught.value.kind


@pytest.mark.parametrize("path", Path)
def test_a_rating_counts_for_the_path_that_was_signed(path: Path, replica: Counting) -> None:
    assert replica.feedback.rate(replica.feedback.token(path), "complaint")
    assert {each: replica.counted(each, "complaint") for each in Path} == {each: float(each is path) for each in Path}


def test_every_series_is_there_before_the_first_rating(replica: Counting) -> None:
    assert [replica.counted(path, rating) for path in Path for rating in feedback.RATINGS] == [0.0] * 9


def test_an_answer_is_rated_once_and_the_first_word_counts(replica: Counting) -> None:
    token = replica.feedback.token("litellm")
    assert replica.feedback.rate(token, "up")
    assert not replica.feedback.rate(token, "down")
    assert (replica.counted(rating="up"), replica.counted(rating="down")) == (1, 0)


def test_any_replica_with_the_same_secret_takes_a_token_and_no_other_does(replica: Counting) -> None:
    token = replica.feedback.token("direct")
    beside, stranger = Counting(), Counting(b"another")
    assert beside.feedback.rate(token, "up")
    assert refusal(stranger, token) == (403, "unknown_token")


@pytest.mark.parametrize(
    "altered",
    [
        lambda token: token.replace("direct", "litellm"),
        lambda token: token.replace(
            f"{int(NOW) + feedback.VALID_SECONDS}", f"{int(NOW) + 10 * feedback.VALID_SECONDS}"
        ),
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: token.rpartition(".")[0],
        lambda _: "litellm",
        lambda _: ".",
    ],
)
def test_what_was_altered_is_refused_and_counts_nowhere(altered: Any, replica: Counting) -> None:
    assert refusal(replica, altered(replica.feedback.token("direct"))) == (403, "unknown_token")
    assert not any(replica.counted(path, rating) for path in Path for rating in feedback.RATINGS)


def test_a_token_lasts_a_day(replica: Counting) -> None:
    token = replica.feedback.token("litellm")
    replica.clock.now += feedback.VALID_SECONDS - 1
    assert replica.feedback.rate(token, "up")
    late = replica.feedback.token("litellm")
    replica.clock.now += feedback.VALID_SECONDS
    assert refusal(replica, late) == (403, "expired_token")


def test_a_replica_counts_so_many_a_minute(replica: Counting) -> None:
    tokens = [replica.feedback.token("litellm") for _ in range(feedback.PER_MINUTE + 1)]
    assert all(replica.feedback.rate(token, "down") for token in tokens[:-1])
    assert refusal(replica, tokens[-1]) == (429, "rate_limited")
    assert not replica.feedback.rate(tokens[0], "down"), "what is known already takes no turn"
    assert refusal(replica, "forged") == (403, "unknown_token")
    replica.clock.now += 1
    assert replica.feedback.rate(tokens[-1], "down")
    assert replica.counted() == feedback.PER_MINUTE + 1


def test_a_clock_that_is_set_back_gives_no_turns(replica: Counting) -> None:
    for _ in range(feedback.PER_MINUTE):
        replica.feedback.rate(replica.feedback.token("litellm"), "up")
    replica.clock.now -= 3600
    assert refusal(replica, replica.feedback.token("litellm")) == (429, "rate_limited")


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch, replica: Counting) -> None:
    monkeypatch.setattr(feedback, "MAX_REMEMBERED", 3)
    tokens = [replica.feedback.token("litellm") for _ in range(4)]
    assert all(replica.feedback.rate(token, "up") for token in tokens)
    assert not replica.feedback.rate(tokens[-1], "up")
    assert replica.feedback.rate(tokens[0], "up"), "the oldest was forgotten"


# Over HTTP.


async def counted(http: httpx.AsyncClient, path: str, rating: str) -> float:
    text = await metrics_of(http)
    wanted = f'friday_llm_feedback_total{{path="{path}",rating="{rating}"}} '
    return float(next(line for line in text.splitlines() if line.startswith(wanted)).removeprefix(wanted))


async def rate(http: httpx.AsyncClient, answer: httpx.Response, rating: str) -> httpx.Response:
    return await http.post("/api/feedback", json={"token": answer.headers["x-friday-feedback"], "rating": rating})


@pytest.mark.anyio
@pytest.mark.parametrize(("user", "path"), [(ON, "litellm"), (OFF, "direct")])
async def test_an_answer_is_rated(user: int, path: str, http: httpx.AsyncClient) -> None:
    answer = await http.post("/api/chat", json=chat(user))
    first, second = await rate(http, answer, "down"), await rate(http, answer, "down")
    assert (first.status_code, first.json()) == (200, {"counted": True})
    assert (second.status_code, second.json()) == (200, {"counted": False})
    assert await counted(http, path, "down") == 1


@pytest.mark.anyio
async def test_a_fallback_a_stream_and_an_error_are_rated_too(
    gateway: Upstream, direct: Upstream, http: httpx.AsyncClient
) -> None:
    gateway.scripts = [close]
    fallback = await http.post("/api/chat", json=chat(ON))
    streamed = await http.post("/api/chat", json=chat(ON, stream=True))
    direct.scripts = [plain(b"x", 401)]
    failed = await http.post("/api/chat", json=chat(OFF))
    assert (fallback.headers["x-friday-path"], failed.status_code) == ("fallback", 502)
    for answer in (fallback, streamed, failed):
        assert (await rate(http, answer, "complaint")).json() == {"counted": True}
    for path in Path:
        assert await counted(http, path, "complaint") == 1


@pytest.mark.anyio
async def test_a_wrong_request_is_worth_no_rating(http: httpx.AsyncClient) -> None:
    refused = await http.post("/api/chat", json=chat(ON, model="openai/gpt-4o"))
    assert (refused.status_code, refused.headers["x-friday-path"]) == (422, "litellm")
    assert "x-friday-feedback" not in refused.headers


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"rating": "up"}, 422, "token"),
        ({"token": "x.1.y.z", "rating": "up"}, 403, "token"),
        ({"token": "", "rating": "up"}, 422, "token"),
        ({"token": "a b", "rating": "up"}, 422, "token"),
        ({"token": "x" * 201, "rating": "up"}, 422, "token"),
        ({"token": "x", "rating": "fine"}, 422, "rating"),
        ({"token": "x", "rating": "down", "text": "SECRET"}, 422, "text"),
        ([], 400, "body"),
        ({"token": "x", "rating": "down", "text": "x" * MAX_SMALL_BYTES}, 413, "body"),
    ],
    ids=lambda value: repr(value)[:60],
)
async def test_wrong_input_names_the_field(body: Any, status: int, field: str, http: httpx.AsyncClient) -> None:
    answer = await http.post("/api/feedback", content=json.dumps(body), headers={"content-type": "application/json"})
    error = answer.json()["error"]
    assert (answer.status_code, error["field"]) == (status, field)
    assert "SECRET" not in answer.text
    assert error["request_id"] == answer.headers["x-request-id"]


@pytest.fixture
async def logged(
    gateway: Upstream, direct: Upstream, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[tuple[httpx.AsyncClient, pytest.LogCaptureFixture]]:
    with caplog.at_level("DEBUG"):
        async for client in serve(settings(gateway, direct)):
            yield client, caplog


@pytest.mark.anyio
async def test_a_complaints_text_goes_nowhere(logged: tuple[httpx.AsyncClient, pytest.LogCaptureFixture]) -> None:
    http, log = logged
    await http.post("/api/feedback", json={"token": "x", "rating": "complaint", "text": "SECRET COMPLAINT"})
    await http.post("/api/feedback", json={"token": "x", "rating": "SECRET COMPLAINT"})
    assert "SECRET" not in log.text + await metrics_of(http)


@pytest.mark.anyio
async def test_too_many_are_a_429_with_retry_after(monkeypatch: pytest.MonkeyPatch, http: httpx.AsyncClient) -> None:
    monkeypatch.setattr(feedback, "PER_MINUTE", 0.6)
    answer = await rate(http, await http.post("/api/chat", json=chat(ON)), "up")
    assert (answer.status_code, answer.json()["error"]["kind"]) == (429, "rate_limited")
    assert int(answer.headers["retry-after"]) > 30
