"""Settings, the catalogue file, and the process as a whole."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from simulator.answers import sample
from simulator.catalogue import Catalogue
from simulator.config import CATALOGUE, ConfigError, Settings, load, parse_keys
from simulator.faults import FAULTS

ROOT = Path(__file__).parents[3]


def test_settings_from_the_environment(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("# accounts\nsk-1 gateway\n\n  sk-2  \nsk-3 gateway management\n", encoding="utf-8")
    settings = load(
        {
            "SIMULATOR_API_KEYS_FILE": str(keys),
            "SIMULATOR_API_KEYS": "ignored",
            "SIMULATOR_RPM": "3",
            "SIMULATOR_RPD": "",
            "SIMULATOR_LATENCY_MS": "120",
            "SIMULATOR_CREDITS": "0",
            "SIMULATOR_ADMIN": "false",
            "GRACE_SECONDS": "4",
        }
    )
    assert [(k.key, k.name, k.management) for k in settings.keys] == [
        ("sk-1", "gateway", False),
        ("sk-2", "account-2", False),
        ("sk-3", "gateway", True),
    ]
    assert (settings.rpm, settings.rpd, settings.latency_ms, settings.admin) == (3, None, 120, False)
    assert (settings.credits, settings.grace_seconds, settings.port) == (Decimal(0), 4, 8080)
    accounts = settings.accounts()
    assert accounts.authenticate("Bearer sk-3")[0] is accounts.authenticate("bearer sk-1")[0]


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, "SIMULATOR_API_KEYS_FILE: should name a file with at least one key"),
        ({"SIMULATOR_API_KEYS": "a x, b x"}, "each account name once"),
        ({"SIMULATOR_API_KEYS": "a x, a y"}, "each key once"),
        ({"SIMULATOR_API_KEYS": "a x y"}, "line 1 should be `key`"),
        ({"SIMULATOR_API_KEYS": "a x management"}, "management key of an unknown account 'x'"),
        ({"SIMULATOR_API_KEYS_FILE": "/nonexistent/keys"}, "SIMULATOR_API_KEYS_FILE: should be a readable"),
        ({"SIMULATOR_API_KEYS": "a", "SIMULATOR_RPM": "-1"}, "SIMULATOR_RPM: "),
        ({"SIMULATOR_API_KEYS": "a", "SIMULATOR_RPD": "many"}, "(got 'many')"),
        ({"SIMULATOR_API_KEYS": "a", "SIMULATOR_PORT": "70000"}, "SIMULATOR_PORT: "),
        ({"SIMULATOR_API_KEYS": "a", "DRAIN_SECONDS": "x", "SIMULATOR_SEED": "y"}, "SIMULATOR_SEED: "),
    ],
)
def test_wrong_settings_name_the_setting(env: dict[str, str], expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(env)
    assert expected in str(caught.value)


def test_a_wrong_key_line_does_not_show_the_key() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_keys("sk-secret name something")
    assert "sk-secret" not in str(caught.value)


@pytest.mark.parametrize("text", ["{", "{}", '[{"id": "no-slash"}]', "missing"])
def test_wrong_catalogue_files(tmp_path: Path, text: str) -> None:
    path = tmp_path / "catalogue.json"
    if text != "missing":
        path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"catalogue\.json"):
        Catalogue.load(path)


def test_a_model_appears_once(tmp_path: Path) -> None:
    models = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    path = tmp_path / "catalogue.json"
    path.write_text(json.dumps([models[0], models[0]]), encoding="utf-8")
    with pytest.raises(ConfigError, match="twice"):
        Catalogue.load(path)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"const": 3}, 3),
        ({"default": "d", "type": "string"}, "d"),
        ({"enum": ["a", "b"]}, "a"),
        ({"type": ["string", "null"]}, "example"),
        ({"type": "string", "format": "date"}, "2026-01-15"),
        ({"type": "string", "minLength": 9, "maxLength": 9}, "example.."),
        ({"type": "string", "maxLength": 2}, "ex"),
        ({"type": "integer", "exclusiveMinimum": 4}, 5),
        ({"type": "number", "maximum": -2}, -2),
        ({"type": "null"}, None),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, True),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 1]),
        ({"properties": {"a": {"type": "integer"}}}, {"a": 1}),
        ({"$ref": "#/$defs/x", "$defs": {"x": {"const": 1}}}, 1),
        ({"$ref": "#/nowhere/x"}, "example"),
        (
            {"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]},
            {"a": 1, "b": 2},
        ),
    ],
)
def test_sample_fits_the_schema(schema: dict[str, object], expected: object) -> None:
    assert sample(schema, schema) == expected


@pytest.mark.parametrize(
    "step",
    [
        {"$ref": "#"},
        {"type": "array", "items": {"$ref": "#"}},
        {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
    ],
)
def test_sample_of_a_recursive_schema_ends(step: dict[str, object]) -> None:
    schema: dict[str, object] = {"type": "object", "properties": {"next": step}, "required": ["next"]}
    assert "next" in sample(schema, schema)


def test_every_setting_fault_and_field_is_documented() -> None:
    page = (ROOT / "docs" / "SIMULATOR.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`\"?([\w.-]+)\"?", page)) | set(re.findall(r'"(\w+)"', page))
    for name in Settings.model_fields:
        shared = name in ("drain_seconds", "grace_seconds")
        variable = {"keys": "SIMULATOR_API_KEYS"}.get(name, name.upper() if shared else f"SIMULATOR_{name}".upper())
        assert variable in documented
    for kind, schema in FAULTS.json_schema()["$defs"].items():
        assert schema["properties"]["kind"]["const"] in documented, kind
        assert set(schema["properties"]) - documented == set(), kind


def process(env: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "simulator"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_process_serves_and_finishes_a_running_request_on_sigterm() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {
        "SIMULATOR_API_KEYS": "sk-1",
        "SIMULATOR_PORT": str(port),
        "SIMULATOR_HOST": "127.0.0.1",
        "SIMULATOR_LATENCY_MS": "600",
        "DRAIN_SECONDS": "0.2",
    }
    running = process(env)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(url, running)
        with httpx.Client(base_url=url, headers={"Authorization": "Bearer sk-1"}) as client:
            body = {
                "model": "openrouter/free",
                "messages": [{"role": "user", "content": "x"}],
                "stream": True,
            }
            with client.stream("POST", "/api/v1/chat/completions", json=body) as response:
                running.send_signal(signal.SIGTERM)
                assert "[DONE]" in response.read().decode()
        assert running.wait(10) == 0
        assert running.communicate()[1] == ""
    finally:
        running.kill()
        running.communicate()


def wait_for(url: str, running: subprocess.Popen[str]) -> None:
    for _ in range(200):
        assert running.poll() is None, running.communicate()[1]
        try:
            if httpx.get(f"{url}/healthz").json() == {"status": "ok"}:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail("the simulator did not come up")


def test_process_refuses_wrong_settings_in_one_line() -> None:
    running = process({"SIMULATOR_API_KEYS": "sk-1", "SIMULATOR_RPM": "x"})
    out, err = running.communicate(timeout=20)
    assert (running.returncode, out, err.count("\n")) == (2, "", 1)
    assert "SIMULATOR_RPM" in err


def test_process_refuses_a_taken_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        running = process({"SIMULATOR_API_KEYS": "sk-1", "SIMULATOR_PORT": port, "SIMULATOR_HOST": "127.0.0.1"})
        _, err = running.communicate(timeout=20)
    assert running.returncode == 2
    assert f"cannot listen on {port}" in err
