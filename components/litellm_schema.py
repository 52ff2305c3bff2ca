"""Our own check of a LiteLLM configuration, because LiteLLM passes over most mistakes without a word.

It knows what LiteLLM 1.108.14 reads in which section, and the rules that keep the gateway free of charge, its
fallbacks working. `check` returns every mistake it finds.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from components.catalogue import FREE_ROUTER

NEEDED: Mapping[str, Mapping[str, Any]] = {
    "router_settings": {"routing_strategy": "simple-shuffle", "num_retries": 0, "disable_cooldowns": True},
    "litellm_settings": {
        "callbacks": ["gateway.guard.guard"],
        "turn_off_message_logging": True,
        "drop_params": True,
    },
}
"""Settings without which calls are not checked, or LiteLLM is talkative, or slow to fall back."""

CHAINS = ("fallbacks", "content_policy_fallbacks", "context_window_fallbacks")
_NUMBERS = ("timeout", "stream_timeout", "max_fallbacks")

SECTIONS: Mapping[str, frozenset[str]] = {
    "router_settings": frozenset({*NEEDED["router_settings"], *_NUMBERS, *CHAINS, "model_group_alias"}),
    "litellm_settings": frozenset(NEEDED["litellm_settings"]),
    "gateway_settings": frozenset(
        {"deadline_seconds", "stream_deadline_seconds", "first_token_seconds", "cooldown_seconds", "allowed_fails"}
        | {"models", "data_policy", "max_in_flight", "max_queued", "latency_buckets", "cache"}
    ),
}
"""The keys that this project uses, section by section: in another section the same key does nothing."""

_KEY = "os.environ/OPENROUTER_API_KEY"
_FREE_MODEL = re.compile(rf"openrouter/([^/,\s]+/[^/,\s]+:free|{FREE_ROUTER})")
_DEMANDS: Mapping[str, tuple[str | bool, ...]] = {"data_collection": ("allow", "deny"), "zdr": (True,)}
ZERO_PRICE = {"prompt": 0, "completion": 0, "request": 0, "image": 0}
"""OpenRouter's `provider.max_price`, USD per million tokens, per request and per picture."""


def check(config: object, *, upstream: str) -> list[str]:
    """Return every mistake in a parsed config.yaml whose deployments should all call `upstream`: where, and what."""
    if not isinstance(config, dict):
        return ["config: should be a map of sections"]
    problems = list(_sections(config))
    if problems:
        return problems  # without its sections there is nothing to look into
    return [*_keys(config), *_deployments(config, upstream), *_router(config)]


def _sections(config: dict[Any, Any]) -> Iterator[str]:
    known = {"model_list", *SECTIONS}
    for name in sorted(map(str, config.keys() - known)):
        yield f"{name}: is not a section (known: {', '.join(sorted(known))})"
    for name in sorted(known - config.keys()):
        yield f"{name}: is missing"
    for name in SECTIONS:
        if not isinstance(config.get(name, {}), dict):
            yield f"{name}: should be a map"
    if not isinstance(config.get("model_list", []), list):
        yield "model_list: should be a list of deployments"


def _keys(config: dict[str, Any]) -> Iterator[str]:
    for section, known in SECTIONS.items():
        for key in sorted(map(str, config[section].keys() - known)):
            homes = [other for other, keys in SECTIONS.items() if key in keys]
            hint = f"belongs to {homes[0]}" if homes else "is not a setting"
            yield f"{section}.{key}: {hint}; LiteLLM would ignore it here"
    for section, needed in NEEDED.items():
        for key, value in needed.items():
            found = config[section].get(key)
            if found != value or type(found) is not type(value):
                yield f"{section}.{key}: should be {value!r} (got {found!r})"


def _deployments(config: dict[str, Any], upstream: str) -> Iterator[str]:
    aliases = _aliases(config)
    ids: list[str] = []
    for number, entry in enumerate(config["model_list"]):
        where = f"model_list[{number}]"
        if not isinstance(entry, dict) or entry.keys() != {"model_name", "litellm_params", "model_info"}:
            yield f"{where}: should have model_name, litellm_params and model_info, nothing else"
            continue
        ids.append(str(_map(entry["model_info"]).get("id")))
        yield from _params(f"{where}.litellm_params", _map(entry["litellm_params"]), upstream)
        if ids[-1] in aliases or ids[-1] in _groups(config) or not ids[-1].startswith("dep-"):
            yield f"{where}.model_info.id: should begin with dep- and be nobody's name (got {ids[-1]!r})"
    for repeated in [name for name, count in Counter([*ids, *_groups(config)]).items() if count > 1]:
        yield f"model_list: should hold each group and each id once (got {repeated!r} again)"


def _params(where: str, params: dict[str, Any], upstream: str) -> Iterator[str]:
    model = params.get("model")
    if not isinstance(model, str) or not _FREE_MODEL.fullmatch(model):
        yield f"{where}.model: should be openrouter/<vendor>/<model>:free (got {model!r})"
    provider = _map(_map(params.get("extra_body")).get("provider"))
    demands = {key: provider[key] for key, known in _DEMANDS.items() if provider.get(key) in known}
    free = {"provider": {"max_price": ZERO_PRICE, **demands}}
    for key, value in (("api_base", upstream), ("api_key", _KEY), ("extra_body", free)):
        if params.get(key) != value:
            yield f"{where}.{key}: should be {value!r}"  # what stands there may be a key
    for key in sorted(map(str, params.keys() - {"model", "api_base", "api_key", "extra_body"})):
        yield f"{where}.{key}: would be sent to OpenRouter as a field of every request"


def _router(config: dict[str, Any]) -> Iterator[str]:
    router = config["router_settings"]
    for key in _NUMBERS:
        value = router.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
            yield f"router_settings.{key}: should be a number above 0 (got {value!r})"
    groups, aliases = set(_groups(config)), _aliases(config)
    for name, group in aliases.items():
        if group not in groups:
            yield f"router_settings.model_group_alias.{name}: should name a group (got {group!r})"
        if name in groups or "," in name:
            yield f"router_settings.model_group_alias.{name}: should not be a group's name or hold a comma"
    for group in sorted(groups - set(map(str, aliases.values()))):
        yield f"router_settings.model_group_alias: should reach every group (nothing reaches {group!r})"
    for chain in CHAINS:
        yield from _chain(f"router_settings.{chain}", router.get(chain), groups, aliases)


def _chain(where: str, chain: object, groups: set[str], aliases: dict[str, Any]) -> Iterator[str]:
    if not isinstance(chain, list) or not all(isinstance(entry, dict) and len(entry) == 1 for entry in chain):
        yield f"{where}: should be a list of maps with one name each"
        return
    pairs = [(str(name), targets) for entry in chain for name, targets in entry.items()]
    for name, targets in pairs:
        if name not in aliases:
            yield f"{where}.{name}: should be a client's name, not a group's"
        if not isinstance(targets, list) or not targets:
            yield f"{where}.{name}: should be a list of groups; LiteLLM reads a text letter by letter"
            continue
        for target in targets:
            if target not in groups:
                yield f"{where}.{name}: should hold groups of the model list (got {target!r})"
            if target == aliases.get(name):
                yield f"{where}.{name}: should not fall back to itself ({target!r})"
    counts = Counter(name for name, _ in pairs)
    for name in aliases:
        if counts[name] != 1:
            yield f"{where}: should have {name!r} once, for an alias inherits nothing (found {counts[name]})"


def _groups(config: dict[str, Any]) -> list[str]:
    return [str(_map(entry).get("model_name")) for entry in config["model_list"]]


def _aliases(config: dict[str, Any]) -> dict[str, Any]:
    return {str(name): group for name, group in _map(config["router_settings"].get("model_group_alias")).items()}


def _map(value: object) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}
