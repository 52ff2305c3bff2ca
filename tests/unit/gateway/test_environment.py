"""Settings that the gateway refuses to start with, and its message for each."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.catalogue import Catalogue, default_models
from components.free_models import SIMULATOR, RouterTuning, litellm_config
from gateway import environment
from gateway.environment import StartError

ROOT = Path(__file__).parents[3]
Config = dict[str, Any]


@pytest.fixture
def given(tmp_path: Path) -> dict[str, str]:
    """Return an environment that the gateway starts with."""
    return prepare(tmp_path)


def prepare(folder: Path, change: Callable[[Config], Any] | None = None) -> dict[str, str]:
    catalogue = Catalogue(models=default_models())
    config = litellm_config(catalogue, RouterTuning(), upstream=SIMULATOR)
    if change:
        change(config)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    environ = {"LITELLM_CONFIG": str(folder / "config.yaml"), "OPENROUTER_API_BASE": SIMULATOR, "GATEWAY_RPM": "18"}
    for name in ("OPENROUTER_API_KEY", "GATEWAY_KEY", "EDGE_KEY", "OPS_KEY", "REDIS_PASSWORD"):
        (folder / name).write_text(f"{name.lower()}-0123456789\n")
        environ[f"{name}_FILE"] = str(folder / name)
    return environ


def test_everything_is_read(given: dict[str, str]) -> None:
    gateway = environment.read({**given, "REDIS_HOST": "redis", "REDIS_PORT": "6380", "GATEWAY_REPLICAS": "3"})
    assert gateway.keys.gateway == "gateway_key-0123456789"
    assert gateway.openrouter_key == "openrouter_api_key-0123456789"
    assert "glm-4.5-air-free" in gateway.models
    assert gateway.deployments["dep-gemma-4-31b"] == "openrouter/google/gemma-4-31b-it:free"
    assert gateway.abilities.takes["dep-nemotron-3-ultra"].context_tokens == 1048576
    assert gateway.abilities.chains["glm-4.5-air-free"][:2] == ("dep-gemma-4-31b", "dep-minimax-m3")
    assert (gateway.requests_per_minute, gateway.replicas, gateway.port) == (18, 3, 4000)
    assert (gateway.deadline_seconds, gateway.stream_deadline_seconds) == (28.0, 300.0)
    assert gateway.redis == environment.RedisAddress("redis", 6380, "redis_password-0123456789")
    assert "0123456789" not in repr(gateway)


def test_no_redis_is_no_mistake(given: dict[str, str]) -> None:
    assert environment.read(given).redis is None


@pytest.mark.parametrize(
    "name",
    ["LITELLM_CONFIG", "OPENROUTER_API_KEY_FILE", "GATEWAY_KEY_FILE", "EDGE_KEY_FILE", "OPS_KEY_FILE", "GATEWAY_RPM"],
)
def test_a_missing_variable_is_named(given: dict[str, str], name: str) -> None:
    del given[name]
    with pytest.raises(StartError, match=name):
        environment.read(given)


@pytest.mark.parametrize("content", ["", "short", "x" * 15, "key with\x00zero-0123456789", "schlüssel-0123456789"])
def test_a_bad_key_is_refused_without_showing_it(given: dict[str, str], content: str) -> None:
    Path(given["GATEWAY_KEY_FILE"]).write_text(content)
    with pytest.raises(StartError, match="GATEWAY_KEY_FILE") as caught:
        environment.read(given)
    assert not content or content not in str(caught.value)


def test_an_unreadable_key_is_refused(given: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(StartError, match="IsADirectoryError"):
        environment.read({**given, "OPS_KEY_FILE": str(tmp_path)})


@pytest.mark.parametrize(("name", "other"), [("OPS", "GATEWAY"), ("EDGE", "GATEWAY"), ("OPS", "EDGE")])
def test_one_key_for_two_purposes_is_refused(given: dict[str, str], name: str, other: str) -> None:
    with pytest.raises(StartError, match="same key"):
        environment.read({**given, f"{name}_KEY_FILE": given[f"{other}_KEY_FILE"]})


@pytest.mark.parametrize(
    "value",
    ["https://api.openai.com/v1", "http://openrouter.ai/api/v1", "https://openrouter:8080/api/v1", "x", "http://"],
)
def test_another_upstream_is_refused(given: dict[str, str], value: str) -> None:
    with pytest.raises(StartError, match="OPENROUTER_API_BASE"):
        environment.read({**given, "OPENROUTER_API_BASE": value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GATEWAY_RPM", "0"),
        ("GATEWAY_RPM", "many"),
        ("GATEWAY_REPLICAS", "-1"),
        ("PORT", "nan"),
        ("DRAIN_SECONDS", "inf"),
        ("GRACE_SECONDS", "-1"),
    ],
)
def test_a_bad_number_is_refused(given: dict[str, str], name: str, value: str) -> None:
    with pytest.raises(StartError, match=name):
        environment.read({**given, name: value})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c["litellm_settings"].update(callbacks=["prometheus"]), "or nothing stops calls to paid models"),
        (lambda c: c["litellm_settings"].update(callbacks=[]), "or nothing stops calls to paid models"),
        (lambda c: c["litellm_settings"].pop("callbacks"), "callbacks"),
        (lambda c: c["router_settings"]["model_group_alias"].update(new="up-x"), "a fallback list is wrong"),
        (lambda c: c["gateway_settings"]["models"].update({"dep-x": {}}), "has no such model"),
        (lambda c: c["router_settings"]["fallbacks"].append({"gemma-4-31b": ["up-x"]}), "a fallback list is wrong"),
        (lambda c: c["model_list"][0]["litellm_params"].update(model="openrouter/openai/gpt-4o"), "not free"),
        (lambda c: c["model_list"][0]["litellm_params"].update(api_base="https://x.example"), "not free, or not at"),
        (lambda c: c["model_list"].clear(), "no models"),
        (lambda c: c["router_settings"].update(model_group_alias={}), "no models"),
        (lambda c: c.pop("router_settings"), "router_settings"),
        (lambda c: c.update(model_list=["x"]), "wrong form"),
    ],
)
def test_a_config_without_its_locks_is_refused(tmp_path: Path, change: Callable[[Config], Any], said: str) -> None:
    with pytest.raises(StartError, match=said):
        environment.read(prepare(tmp_path, change))


@pytest.mark.parametrize(("content", "said"), [("a: [", "not YAML"), ("- a", "sections"), ("", "sections")])
def test_a_file_that_is_not_a_config_is_refused(given: dict[str, str], content: str, said: str) -> None:
    Path(given["LITELLM_CONFIG"]).write_text(content)
    with pytest.raises(StartError, match=said):
        environment.read(given)


def start(environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway.serve"],
        env={"PATH": os.environ["PATH"], "HOST": "127.0.0.1", **environ},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_failed_start_prints_one_line_and_exits_with_2(given: dict[str, str]) -> None:
    del given["OPS_KEY_FILE"]
    ended = start(given)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "OPS_KEY_FILE is not set" in ended.stderr


def test_a_port_in_use_ends_the_start_before_litellm_is_loaded(given: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = start({**given, "PORT": str(taken.getsockname()[1])})
    assert ended.returncode == 1
    assert "cannot be used: Address already in use" in ended.stderr
    assert ended.stderr.count("\n") == 1
