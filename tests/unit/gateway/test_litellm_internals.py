"""A LiteLLM that is not as expected ends the start: no lock is lost without notice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from gateway import litellm_internals
from gateway.environment import StartError
from gateway.litellm_internals import check_locks, load, read_streams_strictly


class Failed(Exception):  # noqa: N818 (stands for LiteLLM's OpenRouterException)
    def __init__(self, message: str, status_code: int = 0, headers: object = None) -> None:
        super().__init__(message)
        self.status_code = status_code


class Logger:
    def async_pre_call_hook(self) -> None: ...
    def async_pre_call_deployment_hook(self) -> None: ...
    def async_post_call_failure_deployment_hook(self) -> None: ...
    def async_filter_deployments(self) -> None: ...


class Guard(Logger):
    def async_pre_call_hook(self) -> None: ...
    def async_pre_call_deployment_hook(self) -> None: ...
    def async_post_call_failure_deployment_hook(self) -> None: ...
    def async_filter_deployments(self) -> None: ...


class Half(Logger):
    def async_pre_call_hook(self) -> None: ...


async def unfinished() -> AsyncIterator[str]:
    yield 'data: {"choices":[]}'


async def consume(lines: AsyncIterator[str]) -> None:
    async for _ in lines:
        pass


def test_both_locks_have_to_be_loaded() -> None:
    check_locks(object(), ["prometheus", Guard()], Logger)
    for auth, callbacks in ((None, [Guard()]), (object(), []), (object(), ["prometheus", Half()])):
        with pytest.raises(StartError, match="did not load"):
            check_locks(auth, [*callbacks], Logger)


def test_the_models_that_rest_are_asked_of_litellms_router(monkeypatch: pytest.MonkeyPatch) -> None:
    async def active(ids: list[str], parent_otel_span: object) -> list[tuple[str, object]]:
        return [(name, {}) for name in ids if name != "dep-one"]

    cache = SimpleNamespace(async_get_active_cooldowns=active)
    monkeypatch.setattr(litellm_internals, "router", lambda: SimpleNamespace(cooldown_cache=cache))
    assert asyncio.run(litellm_internals.resting({"dep-one": "m", "dep-two": "n"})) == {"dep-two"}


def test_a_hook_that_litellm_no_longer_knows_is_named() -> None:
    with pytest.raises(StartError, match="async_filter_deployments, async_post_call_failure_deployment_hook"):
        check_locks(object(), [Guard()], type("Renamed", (), {"async_pre_call_deployment_hook": None}))


def test_streams_are_read_strictly() -> None:
    class Config:
        def get_model_response_iterator(
            self, streaming_response: Any, sync_stream: bool, json_mode: Any = False
        ) -> Any:
            return streaming_response, sync_stream, json_mode

    read_streams_strictly(SimpleNamespace(OpenrouterConfig=Config, OpenRouterException=Failed))
    lines, *rest = Config().get_model_response_iterator(streaming_response=unfinished(), sync_stream=False)
    assert rest == [False, False]
    with pytest.raises(Failed) as caught:
        asyncio.run(consume(lines))
    assert caught.value.status_code == 502
    untouched = iter(["data: {}"])
    assert Config().get_model_response_iterator(untouched, True, True) == (untouched, True, True)


def test_streams_that_are_read_in_another_way_end_the_start() -> None:
    class Config:
        def get_model_response_iterator(self, lines: Any) -> Any:
            return lines

    with pytest.raises(StartError, match="in another way"):
        read_streams_strictly(SimpleNamespace(OpenrouterConfig=Config, OpenRouterException=Failed))


def test_a_missing_litellm_is_one_message() -> None:
    with pytest.raises(StartError, match="not the pinned version: ModuleNotFoundError"):
        load()
