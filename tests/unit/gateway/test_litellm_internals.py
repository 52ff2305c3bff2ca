"""A LiteLLM that is not as expected ends the start: no lock is lost without notice."""

from __future__ import annotations

import pytest

from gateway.environment import StartError
from gateway.litellm_internals import check_locks, load


class Logger:
    def async_pre_call_hook(self) -> None: ...
    def async_pre_call_deployment_hook(self) -> None: ...


class Guard(Logger):
    def async_pre_call_hook(self) -> None: ...
    def async_pre_call_deployment_hook(self) -> None: ...


class Half(Logger):
    def async_pre_call_hook(self) -> None: ...


def test_both_locks_have_to_be_loaded() -> None:
    check_locks(object(), ["prometheus", Guard()], Logger)
    for auth, callbacks in ((None, [Guard()]), (object(), []), (object(), ["prometheus", Half()])):
        with pytest.raises(StartError, match="did not load"):
            check_locks(auth, [*callbacks], Logger)


def test_a_hook_that_litellm_no_longer_knows_is_named() -> None:
    with pytest.raises(StartError, match="does not call async_pre_call_hook:"):
        check_locks(object(), [Guard()], type("Renamed", (), {"async_pre_call_deployment_hook": None}))


def test_a_missing_litellm_is_one_message() -> None:
    with pytest.raises(StartError, match="not the pinned version: ModuleNotFoundError"):
        load()
