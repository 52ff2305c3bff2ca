"""A LiteLLM that is not as expected ends the start: no lock is lost without notice."""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import Any

import pytest

from gateway import router
from gateway.environment import StartError

CONFIG = {
    "model_list": [{"model_name": "up-one"}],
    "router_settings": {"num_retries": 0},
    "litellm_settings": {"callbacks": ["gateway.guard.guard"], "drop_params": True},
}


class Logger:
    def async_pre_call_deployment_hook(self) -> None: ...
    def async_filter_deployments(self) -> None: ...


class Guard(Logger):
    def async_pre_call_deployment_hook(self) -> None: ...
    def async_filter_deployments(self) -> None: ...


class Half(Logger):
    def async_filter_deployments(self) -> None: ...


class BadRequestError(Exception):
    """LiteLLM's word for a model that it does not know how to call."""


def play(monkeypatch: pytest.MonkeyPatch, **changed: Any) -> SimpleNamespace:
    """Put a LiteLLM in place whose router keeps what it is made of."""
    played = SimpleNamespace(Router=lambda **made: made, BadRequestError=BadRequestError, **changed)
    modules = {"litellm": played, "litellm.integrations.custom_logger": SimpleNamespace(CustomLogger=Logger)}
    monkeypatch.setattr(importlib, "import_module", modules.__getitem__)
    return played


def test_the_router_is_made_of_the_config_and_asks_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    litellm, guard = play(monkeypatch), Guard()
    made = router.build(CONFIG, guard)
    assert made == {"model_list": CONFIG["model_list"], "num_retries": 0}
    assert (litellm.callbacks, litellm.drop_params) == ([guard], True)


def test_a_guard_without_its_hooks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch)
    with pytest.raises(StartError, match=r"gateway.guard has no async_pre_call_deployment_hook"):
        router.build(CONFIG, Half())


def test_a_model_that_litellm_cannot_call_ends_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise BadRequestError("LLM Provider NOT provided.\nYou passed model=x")

    litellm = play(monkeypatch)
    litellm.Router = refuse
    with pytest.raises(StartError, match=r"did not accept its configuration: LLM Provider NOT provided\.$"):
        router.build(CONFIG, Guard())


def test_a_hook_that_litellm_no_longer_knows_is_named() -> None:
    with pytest.raises(StartError, match="does not call async_filter_deployments:"):
        router.check_hooks(Guard(), type("Renamed", (), {"async_pre_call_deployment_hook": None}))


def test_a_missing_litellm_is_one_message() -> None:
    with pytest.raises(StartError, match="not the pinned version: ModuleNotFoundError"):
        router.build(CONFIG, Guard())
