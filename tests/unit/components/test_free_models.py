"""The catalogue's rules and the shape of the rendered config, for the defaults and for any valid catalogue."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from components.catalogue import (
    FREE_ROUTER,
    FRIDAY_DEFAULT,
    FRIDAY_NAMES,
    Catalogue,
    DataPolicySettings,
    FreeModel,
    Prompts,
    default_models,
)
from components.free_models import (
    LATENCY_BUCKETS,
    OPENROUTER,
    SIMULATOR,
    RouterTuning,
    litellm_config,
    render_litellm_config,
)
from components.litellm_schema import ZERO_PRICE, check
from friday.llm.constants import DEFAULT_GATEWAY_MODEL, STOCK_MODELS
from gateway.metrics import BUCKETS

# What Friday's stock client sends (its names for the models, short and long).
STOCK_NAMES = [
    *("glm-4.5-air-free", "gpt-oss-20b-free", "deepseek-chat-v3.1-free", "qwen3-coder-free"),
    *("minimax-m2-free", "kimi-k2-free", "gemma-3-27b-free"),
    *("openrouter/z-ai/glm-4.5-air:free", "openrouter/openai/gpt-oss-20b:free"),
    *("openrouter/deepseek/deepseek-chat-v3.1:free", "openrouter/qwen/qwen3-coder:free"),
    *("openrouter/minimax/minimax-m2:free", "openrouter/moonshotai/kimi-k2:free"),
    "openrouter/google/gemma-3-27b-it:free",
]

PROMPTS: dict[str, Prompts | None] = {"d": "deleted", "k": "kept", "t": "trained-on", "u": None}


def models(count: int = 5, **changed: Any) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = [{"name": f"m{n}", "id": f"vendor/m{n}:free", "aliases": []} for n in range(count)]
    made[-1]["aliases"] = [FRIDAY_DEFAULT]
    made[0].update(changed)
    return made


def words() -> st.SearchStrategy[str]:
    return st.from_regex(r"[a-z0-9][a-z0-9._-]{0,10}", fullmatch=True).filter(
        lambda text: not text.startswith(("up-", "dep-"))
    )


@st.composite
def catalogues(draw: st.DrawFn) -> Catalogue:
    names = draw(st.lists(words(), min_size=15, max_size=30, unique=True))
    count = draw(st.integers(5, len(names) // 3))
    more = {0: (FRIDAY_DEFAULT,)}
    entries = [
        FreeModel(
            name=names[n],
            id=FREE_ROUTER if n == 1 else f"vendor/{names[n]}:free",
            aliases=(*names[count + n :: count], *more.get(n, ())),
        )
        for n in range(count)
    ]
    order = draw(st.none() | st.permutations(names[:count]).map(lambda found: tuple(found[: max(2, count - 1)])))
    return Catalogue(models=tuple(entries), fallback_order=order)


def test_default_catalogue_answers_all_names_of_the_stock_client() -> None:
    catalogue = Catalogue(models=default_models())
    assert set(STOCK_NAMES) <= {name for name, _ in catalogue.client_names()}
    assert len(catalogue.models) >= 5


def test_a_model_falls_back_to_those_after_it_then_to_those_before() -> None:
    catalogue = Catalogue.model_validate({"models": models()})
    assert catalogue.fallbacks_of("m3") == ("m4", "m0", "m1", "m2")


def test_an_order_of_its_own_leaves_models_out_of_the_chain() -> None:
    catalogue = Catalogue.model_validate({"models": models(), "fallbackOrder": ["m2", "m0"]})
    assert catalogue.fallbacks_of("m2") == ("m0",)
    assert catalogue.fallbacks_of("m4") == ("m2", "m0")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"id": "vendor/m0"}, ":free"),
        ({"id": "vendor/m0:free,openai/gpt-4o:free"}, "vendor/model:free"),
        ({"id": "vendor/m0:free\n"}, ":free"),
        ({"id": "m0:free"}, "vendor/model:free"),
        ({"id": "openrouter/auto"}, ":free"),
        ({"id": "openrouter/free "}, ":free"),
        ({"id": "openrouter/free:online"}, ":free"),
        ({"takes": ["sound"]}, "'structured_outputs'"),
        ({"contextTokens": 0}, "greater than or equal to 1"),
        ({"name": "M 0"}, "a-z 0-9"),
        ({"name": "up-m0"}, "internal names"),
        ({"name": ""}, "1 to 64"),
        ({"aliases": ["a,b"]}, "comma"),
        ({"aliases": ["a\x00b"]}, "1 to 128"),
        ({"aliases": ["dep-m1"]}, "internal names"),
        ({"aliases": ["m1"]}, "once"),
        ({"aliases": ["vendor/m1:free"]}, "once"),
        ({"aliases": ["openrouter/vendor/m0:free"]}, "without an alias"),
        ({"aliases": ["x", "x"]}, "once"),
        ({"price": 0}, "Extra inputs"),
    ],
)
def test_a_bad_model_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Catalogue.model_validate({"models": models(**changed)})


@pytest.mark.parametrize(
    ("order", "said"), [(["m0", "m9"], "'m9'"), (["m0", "m0"], "once"), (["m0"], "at least 2 items")]
)
def test_a_bad_fallback_order_is_refused(order: list[str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Catalogue.model_validate({"models": models(), "fallback_order": order})


def test_a_list_that_does_not_answer_friday_is_refused() -> None:
    made = models()
    made[-1]["aliases"] = []
    with pytest.raises(ValidationError, match=f"one with the alias {FRIDAY_DEFAULT}"):
        Catalogue.model_validate({"models": made})
    made[0]["id"] = FRIDAY_DEFAULT.removeprefix("openrouter/")
    assert Catalogue.model_validate({"models": made}).models[0].long_name == FRIDAY_DEFAULT


def test_friday_asks_for_these_names() -> None:
    assert DEFAULT_GATEWAY_MODEL == FRIDAY_DEFAULT
    assert set(STOCK_MODELS.values()) == set(FRIDAY_NAMES)


def test_openrouters_own_router_is_the_last_resort_of_all() -> None:
    catalogue = Catalogue.model_validate({"models": models(6, name="any", id=FREE_ROUTER)})
    assert catalogue.fallbacks_of("m3") == ("m4", "m5", "m1", "m2", "any")
    assert catalogue.fallbacks_of("any") == ("m1", "m2", "m3", "m4", "m5")
    order = ["any", "m2"]
    ordered = Catalogue.model_validate({"models": models(6, name="any", id=FREE_ROUTER), "fallbackOrder": order})
    assert ordered.fallbacks_of("m1") == ("m2", "any")


def test_what_is_known_of_the_models_is_rendered_and_nothing_else() -> None:
    made = models(6, takes=["tools"], contextTokens=8192)
    made[1]["takes"] = []
    config = litellm_config(Catalogue.model_validate({"models": made}), RouterTuning(), upstream=OPENROUTER)
    known = {"dep-m0": {"takes": ["tools"], "context_tokens": 8192}, "dep-m1": {"takes": []}}
    assert config["gateway_settings"]["models"] == known


def test_what_providers_may_do_is_asked_with_each_call_and_named() -> None:
    policy = {"dataCollection": "deny", "zdr": True}
    catalogue = Catalogue.model_validate({"models": models(), "dataPolicy": policy})
    config = litellm_config(catalogue, RouterTuning(), upstream=OPENROUTER)
    for entry in config["model_list"]:
        provider = entry["litellm_params"]["extra_body"]["provider"]
        assert provider == {"max_price": ZERO_PRICE, "data_collection": "deny", "zdr": True}
    assert config["gateway_settings"]["data_policy"] == ["dataPolicy.dataCollection: deny", "dataPolicy.zdr: true"]
    assert check(config, upstream=OPENROUTER) == []
    allowed = Catalogue.model_validate({"models": models(), "dataPolicy": {"dataCollection": "allow"}})
    assert (allowed.data_policy.demands, allowed.data_policy.closing) == ({"data_collection": "allow"}, ())


@pytest.mark.parametrize(
    ("policy", "closed"),
    [({}, ""), ({"dataCollection": "allow"}, ""), ({"dataCollection": "deny"}, "t"), ({"zdr": True}, "kt")],
)
def test_a_policy_closes_the_models_that_are_known_to_break_it(policy: dict[str, Any], closed: str) -> None:
    asked = DataPolicySettings.model_validate(policy)
    assert [name for name, prompts in PROMPTS.items() if asked.closes(prompts)] == [*closed]


def test_fewer_than_five_models_are_refused() -> None:
    with pytest.raises(ValidationError, match="at least 5"):
        Catalogue.model_validate({"models": models(4)})


@pytest.mark.parametrize(
    "tuning",
    [
        {"allowedFails": 11},
        {"firstTokenSeconds": 0},
        {"timeoutSeconds": 0},
        {"cooldownSeconds": 0},
        {"timeoutSeconds": 40},
        {"retries": 1},
    ],
)
def test_bad_tuning_is_refused(tuning: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RouterTuning.model_validate(tuning)


def test_no_other_upstream_is_rendered() -> None:
    with pytest.raises(ValueError, match="upstream"):
        render_litellm_config(Catalogue(models=default_models()), RouterTuning(), upstream="https://evil.example")


def test_rendered_text_is_the_config_and_the_same_every_time() -> None:
    catalogue = Catalogue(models=default_models())
    arguments: dict[str, Any] = {"upstream": OPENROUTER}
    text = render_litellm_config(catalogue, RouterTuning(), **arguments)
    assert text == render_litellm_config(catalogue, RouterTuning(), **arguments)
    assert yaml.safe_load(text) == litellm_config(catalogue, RouterTuning(), **arguments)
    assert "&id" not in text


def test_no_secret_stands_in_the_config() -> None:
    config = litellm_config(Catalogue(models=default_models()), RouterTuning(), upstream=OPENROUTER)
    keys = {entry["litellm_params"]["api_key"] for entry in config["model_list"]}
    assert keys == {"os.environ/OPENROUTER_API_KEY"}


@pytest.mark.parametrize("features", [("email_summary", "email_labels"), ("chat",), ()])
def test_the_cache_is_the_gateways_own_and_off_unless_set(features: tuple[str, ...]) -> None:
    def own(**tuning: Any) -> Any:
        made = RouterTuning.model_validate({"cacheFeatures": features, **tuning})
        config = litellm_config(Catalogue(models=default_models()), made, upstream=SIMULATOR)
        assert check(config, upstream=SIMULATOR) == []
        return config["gateway_settings"].get("cache")

    assert own(cacheTtlSeconds=60) == {"ttl_seconds": 60, "features": list(features)}
    assert own() is None


@pytest.mark.parametrize("features", [["a b"], [""], ["x" * 65], ["a"] * 21, "chat"])
def test_a_feature_that_no_header_can_name_is_refused(features: Any) -> None:
    with pytest.raises(ValidationError):
        RouterTuning.model_validate({"cacheFeatures": features})


def test_the_gateways_buckets_are_those_of_the_gates() -> None:
    config = litellm_config(Catalogue(models=default_models()), RouterTuning(), upstream=SIMULATOR)
    assert config["gateway_settings"]["latency_buckets"] == LATENCY_BUCKETS == list(BUCKETS)


@settings(max_examples=30)  # YAML is written and read in Python
@given(catalogues(), st.sampled_from([OPENROUTER, SIMULATOR]))
def test_any_valid_catalogue_renders_to_a_config_that_passes_the_check(catalogue: Catalogue, upstream: str) -> None:
    text = render_litellm_config(catalogue, RouterTuning(), upstream=upstream)
    assert check(yaml.safe_load(text), upstream=upstream) == []


@settings(max_examples=30)  # YAML is written and read in Python
@given(catalogues())
def test_every_client_name_has_its_own_chain_of_leaf_groups(catalogue: Catalogue) -> None:
    router = litellm_config(catalogue, RouterTuning(), upstream=SIMULATOR)["router_settings"]
    for chain in ("fallbacks", "content_policy_fallbacks", "context_window_fallbacks"):
        targets = {name: found for entry in router[chain] for name, found in entry.items()}
        assert targets.keys() == {name for name, _ in catalogue.client_names()}
        assert not targets.keys() & {target for found in targets.values() for target in found}
