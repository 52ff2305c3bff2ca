"""What a caller gets when no path answers."""

import asyncio
import time

import httpx
import pytest

from friday.llm.errors import LlmError
from friday.service.replies import ERRORS
from tests.unit.friday.served import OFF, ON, chat
from tests.unit.friday.upstream import Upstream, hang, plain

pytestmark = pytest.mark.anyio


async def test_a_busy_account_is_a_429_with_retry_after(direct: Upstream, http: httpx.AsyncClient) -> None:
    direct.scripts = [plain({"error": {"message": "free-models-per-day"}}, 429, retry_after="61.7")]
    answer = await http.post("/api/chat", json=chat(OFF))
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "62"
    assert answer.headers["x-friday-path"] == "direct"
    assert answer.json()["error"]["kind"] == "quota_spent"


async def test_both_paths_dead_is_a_504_within_the_deadline(
    gateway: Upstream, direct: Upstream, http: httpx.AsyncClient
) -> None:
    gateway.scripts, direct.scripts = [hang], [hang]
    started = time.monotonic()
    answer = await http.post("/api/chat", json=chat(ON))
    assert answer.status_code == 504
    assert time.monotonic() - started < 4


async def test_a_bug_is_a_500_without_details(monkeypatch: pytest.MonkeyPatch, http: httpx.AsyncClient) -> None:
    def broken(_: str) -> None:
        raise ZeroDivisionError("SECRET")

    monkeypatch.setattr("friday.service.prompts.chat", broken)
    answer = await http.post("/api/chat", json=chat())
    assert answer.status_code == 500
    assert answer.json()["error"]["kind"] == "internal"
    assert "SECRET" not in answer.text


async def test_what_comes_on_top_of_all_that_a_replica_can_do_is_refused_at_once(
    direct: Upstream, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("friday.service.request_middleware.MAX_AT_ONCE", 2)
    direct.scripts = [hang, hang]
    running = [asyncio.ensure_future(http.post("/api/chat", json=chat(OFF))) for _ in range(2)]
    while len(direct.requests) < 2:
        await asyncio.sleep(0.01)
    answer = await http.post("/api/chat", json=chat(OFF))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    error = answer.json()["error"]
    assert (error["kind"], error["retry_after"]) == ("overloaded", 1)
    assert error["request_id"] == answer.headers["x-request-id"]
    assert (await http.get("/readyz")).status_code == 200
    assert {(await each).status_code for each in running} == {504}
    assert (await http.post("/api/chat", json=chat(OFF))).status_code == 200


def test_every_error_has_a_documented_status() -> None:
    def below(kind: type[LlmError]) -> list[type[LlmError]]:
        return [kind, *(found for child in kind.__subclasses__() for found in below(child))]

    assert {kind.http_status for kind in below(LlmError)} <= set(ERRORS)
