"""The gateway's settings: environment, secret files and the rendered config, checked before LiteLLM starts.

LiteLLM ignores settings that it does not know, and calls whatever a config names. Here every such case ends the start
with one line that names the mistake.
"""

import os
import re
import urllib.request
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from gateway import policy
from gateway.abilities import Abilities
from gateway.policy import Keys

OPENROUTER = "https://openrouter.ai/api/v1"
LOCAL_UPSTREAMS = re.compile(r"(friday-[a-z0-9-]+-)?openrouter|localhost|127\.0\.0\.1")
"""Hosts that may be called without TLS: the stack's simulator and this machine. Single labels are names of the stack's
own network, and of no public name server."""

MINIMUM_KEY_LENGTH = 16
CALL_HOOK = "gateway.guard.guard"


class StartError(Exception):
    """The gateway cannot start; the text says what is wrong and what was expected."""


@dataclass(frozen=True)
class RedisAddress:
    """The address of the Redis that the replicas share."""

    host: str
    port: int
    password: str | None = field(repr=False)


@dataclass(frozen=True)
class Gateway:
    """All settings of the gateway's own code. Times in seconds.

    `data_policy` are the stack's settings that keep providers out of every call, as an error may name them.
    `models` are the names that clients may send, `deployments` the models behind them, by LiteLLM's ids for them.
    `cache_seconds` is 0 where no answer is kept; else `cache_features` are those whose answers are.
    `first_models` has for each name the model that it stands for, as the upstream names it. `rendered` is the whole
    config, of which LiteLLM gets its own sections.
    """

    rendered: Mapping[str, Any] = field(repr=False)
    keys: Keys
    openrouter_key: str = field(repr=False)
    upstream: str
    models: tuple[str, ...]
    deployments: Mapping[str, str]
    abilities: Abilities
    requests_per_minute: int
    replicas: int
    redis: RedisAddress | None
    deadline_seconds: float
    stream_deadline_seconds: float
    data_policy: tuple[str, ...]
    cache_seconds: int
    cache_features: frozenset[str]
    first_token_seconds: float
    cooldown_seconds: float
    allowed_fails: int
    first_models: Mapping[str, str]
    max_in_flight: int
    max_queued: int
    latency_buckets: tuple[float, ...]
    host: str
    port: int
    drain_seconds: float
    grace_seconds: float

    def called_models(self, but_not: Collection[str] = ()) -> list[str]:
        """Return the models as the upstream names them, without those with LiteLLM's ids of `but_not`."""
        return [upstream_name(model) for id_, model in self.deployments.items() if id_ not in but_not]


def upstream_name(model: str) -> str:
    """Return the upstream's name for what LiteLLM calls openrouter/<name>."""
    return model.removeprefix("openrouter/")


@cache
def current() -> Gateway:
    """Return this process's settings, read once. Raises `StartError`."""
    return read(os.environ)


def read(environ: Mapping[str, str]) -> Gateway:
    """Read and check the settings. Raises `StartError` for the first setting that is missing or wrong."""
    upstream = _upstream(environ)
    path = Path(_needed(environ, "LITELLM_CONFIG"))
    config = _config(path)
    deployments = _locked(config, upstream)
    own = config.get("gateway_settings") or {}
    found = {name: _secret(environ, name) for name in ("GATEWAY_KEY", "EDGE_KEY", "OPS_KEY")}
    for name, other in combinations(found, 2):
        if found[name] == found[other]:
            raise StartError(f"{name}_FILE and {other}_FILE hold the same key; each needs one of its own")
    keys = Keys(gateway=found["GATEWAY_KEY"], edge=found["EDGE_KEY"], ops=found["OPS_KEY"])
    return Gateway(
        rendered=config,
        keys=keys,
        openrouter_key=_secret(environ, "OPENROUTER_API_KEY"),
        upstream=upstream,
        models=tuple(config["router_settings"]["model_group_alias"]),
        deployments=deployments,
        abilities=_abilities(config),
        requests_per_minute=int(_number(environ, "GATEWAY_RPM", None, least=1)),
        replicas=int(_number(environ, "GATEWAY_REPLICAS", 1, least=1)),
        redis=_redis(environ),
        deadline_seconds=float(own.get("deadline_seconds", 28)),
        stream_deadline_seconds=float(own.get("stream_deadline_seconds", 300)),
        data_policy=tuple(own.get("data_policy") or ()),
        cache_seconds=int((own.get("cache") or {}).get("ttl_seconds", 0)),
        cache_features=frozenset((own.get("cache") or {}).get("features") or ()),
        first_token_seconds=float(own.get("first_token_seconds", 8)),
        cooldown_seconds=float(own.get("cooldown_seconds", 60)),
        allowed_fails=int(own.get("allowed_fails", 1)),
        first_models=_first_models(config),
        max_in_flight=int(own.get("max_in_flight", 100)),
        max_queued=int(own.get("max_queued", 50)),
        latency_buckets=tuple(own.get("latency_buckets") or ()),
        host=environ.get("HOST", "0.0.0.0"),  # noqa: S104  # a container's own network
        port=int(_number(environ, "PORT", 4000, least=1)),
        drain_seconds=_number(environ, "DRAIN_SECONDS", 2, least=0),
        grace_seconds=_number(environ, "GRACE_SECONDS", 60, least=0),
    )


def proxy_of(url: str) -> str | None:
    """Return the proxy for requests to a URL, None when there is none for it (HTTPS_PROXY, NO_PROXY)."""
    parts = urlsplit(url)
    bypassed = urllib.request.proxy_bypass(parts.hostname or "")
    return None if bypassed else urllib.request.getproxies().get(parts.scheme)


def _first_models(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the model behind each name; `_abilities` has seen that each has one."""
    groups = {entry["model_name"]: upstream_name(entry["litellm_params"]["model"]) for entry in config["model_list"]}
    return {name: groups[group] for name, group in config["router_settings"]["model_group_alias"].items()}


def _needed(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise StartError(f"{name} is not set; the stack sets it; set it too when you start by hand")
    return value


def _secret(environ: Mapping[str, str], name: str) -> str:
    path = Path(_needed(environ, f"{name}_FILE"))
    try:
        value = path.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{name}_FILE: {path} cannot be read ({error.__class__.__name__})") from None
    if len(value) < MINIMUM_KEY_LENGTH or not value.isascii() or not value.isprintable():
        raise StartError(f"{name}_FILE: {path} should hold one key of {MINIMUM_KEY_LENGTH} or more plain characters")
    return value


def _number(environ: Mapping[str, str], name: str, default: float | None, *, least: float) -> float:
    text = environ.get(name, "") or ("" if default is None else str(default))
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not least <= value < float("inf"):
        raise StartError(f"{name} should be a number of {least:g} or more (got {text!r})")
    return value


def _upstream(environ: Mapping[str, str]) -> str:
    value = environ.get("OPENROUTER_API_BASE", OPENROUTER)
    parts = urlsplit(value)
    if value != OPENROUTER and (parts.scheme != "http" or not LOCAL_UPSTREAMS.fullmatch(parts.hostname or "")):
        raise StartError(f"OPENROUTER_API_BASE should be {OPENROUTER} or the stack's simulator (got {value!r})")
    return value


def _redis(environ: Mapping[str, str]) -> RedisAddress | None:
    host = environ.get("REDIS_HOST", "")
    if not host:
        return None
    password = _secret(environ, "REDIS_PASSWORD") if environ.get("REDIS_PASSWORD_FILE") else None
    return RedisAddress(host, int(_number(environ, "REDIS_PORT", 6379, least=1)), password)


def _config(path: Path) -> dict[str, Any]:
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StartError(f"LITELLM_CONFIG: {path} cannot be read ({error.__class__.__name__})") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise StartError(f"LITELLM_CONFIG: {path} is not YAML") from None
    if not isinstance(config, dict):
        raise StartError(f"LITELLM_CONFIG: {path} should hold sections")
    return config


def _locked(config: dict[str, Any], upstream: str) -> dict[str, str]:
    """Return the models that a config calls, by their ids. Raises `StartError` for one without its locks."""
    try:
        own = config["litellm_settings"]
        deployments = [entry["litellm_params"] for entry in config["model_list"]]
        aliases = config["router_settings"]["model_group_alias"]
        locked = own["callbacks"] == [CALL_HOOK]
        elsewhere = [entry["model"] for entry in deployments if entry["api_base"] != upstream]
        named = {entry["model_info"]["id"]: entry["litellm_params"]["model"] for entry in config["model_list"]}
        paid = [
            entry["model"]
            for entry in deployments
            if not (policy.is_free(entry["model"]) and policy.asks_for_nothing(entry["extra_body"]))
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise StartError(f"LITELLM_CONFIG: a section is missing or has the wrong form ({error})") from None
    if not locked:
        raise StartError(f"LITELLM_CONFIG: callbacks should be [{CALL_HOOK}], or nothing stops calls to paid models")
    if paid or elsewhere:
        raise StartError(f"LITELLM_CONFIG: not free, or not at {upstream}: {', '.join(sorted({*paid, *elsewhere}))}")
    if not deployments or not aliases:
        raise StartError("LITELLM_CONFIG: no models are configured")
    return named


def _abilities(config: dict[str, Any]) -> Abilities:
    """Return what the models take. Raises `StartError` for a config that says it in another way than the stack does."""
    try:
        return Abilities.of(config)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise StartError(f"LITELLM_CONFIG: gateway_settings.models or a fallback list is wrong ({error})") from None
