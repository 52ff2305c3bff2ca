"""Each class of mistake that LiteLLM would pass over is found by our own check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from components.catalogue import Catalogue, default_models
from components.free_models import SIMULATOR, RouterTuning, litellm_config
from components.litellm_schema import ZERO_PRICE, check

Config = dict[str, Any]


def config() -> Config:
    return litellm_config(Catalogue(models=default_models()), RouterTuning(), upstream=SIMULATOR)


def chain(found: Config, name: str = "minimax-m3") -> dict[str, Any]:
    entry: dict[str, Any] = next(entry for entry in found["router_settings"]["fallbacks"] if name in entry)
    return entry


def settings(section: str, **values: Any) -> Callable[[Config], None]:
    return lambda found: found[section].update(values)


def without(section: str, key: str) -> Callable[[Config], None]:
    return lambda found: found[section].pop(key)


def params(**values: Any) -> Callable[[Config], None]:
    return lambda found: found["model_list"][0]["litellm_params"].update(values)


def targets(value: Any) -> Callable[[Config], None]:
    return lambda found: chain(found).update({"minimax-m3": value})


MISTAKES: dict[str, tuple[Callable[[Config], Any], str]] = {
    "unknown section": (lambda c: c.update(router_setting={}), "router_setting: is not a section"),
    "missing section": (lambda c: c.pop("litellm_settings"), "litellm_settings: is missing"),
    "section is a list": (lambda c: c.update(router_settings=[]), "router_settings: should be a map"),
    "model list is a map": (lambda c: c.update(model_list={}), "model_list: should be a list"),
    "key in the wrong section": (settings("litellm_settings", stream_timeout=60), "belongs to router_settings"),
    "unknown key": (settings("router_settings", retry_polcy={}), "is not a setting"),
    "retries": (settings("router_settings", num_retries=1), "num_retries: should be 0"),
    "retries as text": (settings("router_settings", num_retries="0"), "num_retries: should be 0"),
    "retries as false": (settings("router_settings", num_retries=False), "num_retries: should be 0"),
    "cooldowns of its own": (settings("router_settings", disable_cooldowns=False), "disable_cooldowns: should be True"),
    "timeout as text": (settings("router_settings", timeout="os.environ/T"), "timeout: should be a number"),
    "a section of the proxy": (lambda c: c.update(general_settings={}), "general_settings: is not a section"),
    "no guard": (settings("litellm_settings", callbacks=["prometheus"]), "callbacks: should be"),
    "a cache of LiteLLM's": (
        settings("litellm_settings", cache=True),
        "litellm_settings.cache: belongs to gateway_settings",
    ),
    "talkative": (settings("litellm_settings", turn_off_message_logging=False), "message_logging: should be True"),
    "paid model": (params(model="openrouter/openai/gpt-4o"), "should be openrouter/<vendor>/<model>:free"),
    "paid router": (params(model="openrouter/openrouter/auto"), "should be openrouter/<vendor>/<model>:free"),
    "router with more": (params(model="openrouter/openrouter/free:online"), "should be openrouter/<vendor>/<model>"),
    "other provider": (params(model="openai/gpt-4o:free"), "should be openrouter/"),
    "other host": (params(api_base="https://evil.example/v1"), "api_base: should be"),
    "key in the open": (params(api_key="sk-or-v1-secret"), "api_key: should be"),
    "no price limit": (params(extra_body={}), "extra_body: should be"),
    "a misspelt demand": (
        params(extra_body={"provider": {"max_price": ZERO_PRICE, "data_collection": "no"}}),
        "extra_body: should be",
    ),
    "router without a price limit": (
        params(model="openrouter/openrouter/free", extra_body={"provider": {"zdr": True}}),
        "extra_body: should be",
    ),
    "misspelt parameter": (params(tiemout=3), "tiemout: would be sent to OpenRouter"),
    "id equals a name": (lambda c: c["model_list"][0]["model_info"].update(id="gemma-4-31b"), "nobody's name"),
    "id twice": (
        lambda c: c["model_list"][1]["model_info"].update(id="dep-gemma-4-31b"),
        "each group and each id once",
    ),
    "group twice": (lambda c: c["model_list"][1].update(model_name="up-gemma-4-31b"), "each group and each id once"),
    "no model name": (lambda c: c["model_list"][0].pop("model_name"), "should have model_name"),
    "unknown target": (targets(["up-nobody"]), "should hold groups of the model list (got 'up-nobody')"),
    "target is an alias": (targets(["gemma-4-31b"]), "(got 'gemma-4-31b')"),
    "target is text": (targets("up-gemma-4-31b"), "letter by letter"),
    "target is itself": (targets(["up-minimax-m3"]), "fall back to itself"),
    "no targets": (targets([]), "should be a list of groups"),
    "group as key": (
        lambda c: c["router_settings"]["fallbacks"].append({"up-minimax-m3": ["up-gemma-4-26b"]}),
        "should be a client's name, not a group's",
    ),
    "alias without chain": (
        lambda c: c["router_settings"]["context_window_fallbacks"].pop(),
        "for an alias inherits nothing",
    ),
    "chains as a map": (settings("router_settings", fallbacks={}), "maps with one name each"),
    "two names in one entry": (
        lambda c: c["router_settings"]["fallbacks"][0].update(other=["up-gemma-4-26b"]),
        "maps with one name each",
    ),
    "no chains": (without("router_settings", "content_policy_fallbacks"), "content_policy_fallbacks: should be a list"),
    "alias to nobody": (
        lambda c: c["router_settings"]["model_group_alias"].update({"minimax-m3": "up-nobody"}),
        "should name a group",
    ),
    "alias with a comma": (
        lambda c: c["router_settings"]["model_group_alias"].update({"a,b": "up-minimax-m3"}),
        "hold a comma",
    ),
    "unreachable group": (
        lambda c: c["model_list"].append(
            {
                "model_name": "up-more",
                "litellm_params": {**c["model_list"][0]["litellm_params"], "model": "openrouter/v/more:free"},
                "model_info": {"id": "dep-more"},
            }
        ),
        "nothing reaches 'up-more'",
    ),
}


def test_the_rendered_config_has_no_mistake() -> None:
    assert check(config(), upstream=SIMULATOR) == []


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_found(mistake: str) -> None:
    spoil, said = MISTAKES[mistake]
    found = config()
    spoil(found)
    problems = [str(problem) for problem in check(found, upstream=SIMULATOR)]
    assert any(said in problem for problem in problems), problems


def test_something_else_than_a_map_is_a_mistake() -> None:
    assert [str(problem) for problem in check(["model_list"], upstream=SIMULATOR)] == [
        "config: should be a map of sections"
    ]


def test_a_key_found_in_the_open_is_not_repeated() -> None:
    found = config()
    params(api_key="sk-or-v1-very-secret")(found)
    assert "very-secret" not in " ".join(map(str, check(found, upstream=SIMULATOR)))
