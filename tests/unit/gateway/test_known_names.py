"""A name that LiteLLM does not know is named, wherever in the config it is; LiteLLM itself is played."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from components.catalogue import Catalogue, default_models
from components.free_models import SIMULATOR, RouterTuning, litellm_config
from components.litellm_schema import SECTIONS
from gateway import known_names
from gateway.environment import StartError

Config = dict[str, Any]


def model(*names: str) -> SimpleNamespace:
    return SimpleNamespace(model_fields=dict.fromkeys(names))


def router() -> type:
    """Return a router whose constructor takes all that the config sets."""

    def takes(self: object) -> None: ...

    named = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in sorted(SECTIONS["router_settings"])]
    takes.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]
    return type("Router", (), {"__init__": takes})


def completion(**kwargs: Any) -> object:
    return kwargs.get("extra_body")


def error(status: int | None) -> Callable[..., SimpleNamespace]:
    return lambda message, model, llm_provider: SimpleNamespace(status_code=status)


@pytest.fixture
def litellm(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the modules of a LiteLLM that knows every name."""
    own = {name: error(status) for name, status in known_names._STATUS.items()}
    settings = dict.fromkeys(SECTIONS["litellm_settings"])
    modules: dict[str, Any] = {
        "litellm": SimpleNamespace(completion=completion, **settings, **own),
        "litellm.router": SimpleNamespace(Router=router()),
        "litellm.types.router": SimpleNamespace(
            Deployment=model("model_name", "litellm_params", "model_info"),
            LiteLLM_Params=model("model", "api_base", "api_key"),
            ModelInfo=model("id"),
        ),
    }
    monkeypatch.setattr(importlib, "import_module", modules.__getitem__)
    return modules


def config() -> Config:
    return litellm_config(Catalogue(models=default_models()), RouterTuning(), upstream=SIMULATOR)


def test_the_rendered_config_is_known(litellm: dict[str, Any]) -> None:
    assert litellm
    known_names.require(config())


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (("router_settings",), "router_settings.new"),
        (("litellm_settings",), "litellm_settings.new"),
        (("model_list", 1), "model_list[1].new"),
        (("model_list", 1, "litellm_params"), "model_list[1].litellm_params.new"),
        (("model_list", 1, "model_info"), "model_list[1].model_info.new"),
    ],
)
def test_a_name_that_is_not_known_is_named(litellm: dict[str, Any], place: tuple[Any, ...], name: str) -> None:
    assert litellm
    found: Any = config()
    inner = found
    for key in place:
        inner = inner[key]
    inner["new"] = 1
    with pytest.raises(StartError, match=r"does not know \S+: renamed or dropped") as caught:
        known_names.require(found)
    assert f" {name}:" in str(caught.value)


@pytest.mark.parametrize(("made", "found"), [(error(400), "400"), (lambda: None, "None")], ids=["another", "unmakable"])
def test_an_error_with_another_status_is_named(litellm: dict[str, Any], made: Any, found: str) -> None:
    litellm["litellm"].RateLimitError = made
    with pytest.raises(StartError, match=rf"RateLimitError with status_code 429 \(found {found}\)"):
        known_names.require(config())


def test_an_error_that_is_gone_is_named(litellm: dict[str, Any]) -> None:
    del litellm["litellm"].Timeout
    with pytest.raises(StartError, match="Timeout with status_code 408"):
        known_names.require(config())
