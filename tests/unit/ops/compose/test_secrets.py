"""Secrets go into encrypted settings, and nothing that is written or shown in plain holds one."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ops.compose.adoption import Adoption
from ops.compose.secrecy import is_secret, looks_secret
from tests.unit.ops.compose.composed import adopt, not_placed, of


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STRIPE_API_KEY", "x"),
        ("WEBHOOK_SECRET", "x"),
        ("GITHUB_TOKEN", "x"),
        ("SMTP_PASSWORD", "x"),
        ("PGPASSWORD", "x"),
        ("DB_PASS", "x"),
        ("DATABASE_URL", "file:x"),
        ("REDIS_URL", "redis://r"),
        ("SENTRY_DSN", "x"),
        ("AZURE_CONNECTION_STRING", "x"),
        ("api_key", "x"),
        ("GOOGLE_SERVICE_ACCOUNT_KEY", "{}"),
        ("BROKER", "amqp://user:hunter2@mq:5672"),
        ("HOOK", "https://hooks.example/in?token=hunter2"),
        ("PEM", "-----BEGIN PRIVATE KEY-----\nx"),
        ("SESSION", "eyJhbGciOiJIUzI1NiJ9.e30"),
        ("AI", "sk-or-v1-x"),
        ("ODBC", "Server=db;Password=hunter2"),
        ("UNKNOWN", "f3a9c1d07be24c55a1b2c3d4"),
    ],
)
def test_a_secret_by_its_name_or_its_value(name: str, value: str) -> None:
    assert is_secret(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NODE_ENV", "production"),
        ("OWNER_OPEN_ID", "owner-friday"),
        ("CORS_ALLOWED_ORIGINS", "https://a.example,https://b.example"),
        ("GOOGLE_MCP_URL", "http://calendar:3001"),
        ("MONKEY", "banana"),
        ("BYPASS_CACHE", "1"),
        ("COMPASS", "north"),
        ("MODEL", "openai/gpt-oss-20b:free"),
    ],
)
def test_what_is_no_secret(name: str, value: str) -> None:
    assert not is_secret(name, value)


def test_keys_of_their_own(tmp_path: Path) -> None:
    found = of(
        tmp_path, "environment: {JWT_SECRET: 0123456789abcdef, OPENROUTER_API_KEY: sk-or-v1-0123456789, DB_PASSWORD: p}"
    )
    assert found.secrets == {
        "jwtSecret": "0123456789abcdef",
        "fridayOpenrouterApiKey": "sk-or-v1-0123456789",
        "fridaySecrets.DB_PASSWORD": "p",
    }
    assert "environment" not in found.settings["friday"]


def test_an_empty_one_stays_plain(tmp_path: Path) -> None:
    found = of(tmp_path, "environment: {BILLY_API_KEY: ''}")
    assert (found.secrets, found.settings["friday"]["environment"]) == ({}, {"BILLY_API_KEY": ""})


def test_a_variable_that_repeats_a_secret_is_one(tmp_path: Path) -> None:
    found = of(tmp_path, "environment: {DB_PASSWORD: hunter2, HEALTH_QUERY: 'select hunter2'}")
    assert found.secrets.keys() == {"fridaySecrets.DB_PASSWORD", "fridaySecrets.HEALTH_QUERY"}


@pytest.mark.parametrize(
    "lines",
    [
        "command: node a.js --token ${THE_TOKEN}",
        "command: [node, a.js, '--token=${THE_TOKEN}']",
        "command: node a.js --password=abc",
        "command: node a.js postgres://u:p@db/x",
        "healthcheck: {test: [CMD, curl, -H, 'Authorization: Bearer ${THE_TOKEN}', 'http://localhost:3000/']}",
        "healthcheck: {test: [CMD, curl, -H, 'X-Api-Key: abc', 'http://localhost:3000/']}",
        "healthcheck: {test: 'curl http://localhost:3000/${THE_TOKEN}'}",
        "tmpfs: /run/${THE_TOKEN}",
        "user: ${THE_TOKEN}",
        "stop_signal: ${THE_TOKEN}",
        "stop_grace_period: ${THE_TOKEN}",
        "scale: ${THE_TOKEN}",
    ],
)
def test_a_secret_elsewhere_keeps_its_setting_out_of_the_file(tmp_path: Path, lines: str) -> None:
    found = of(tmp_path, f"environment: [THE_TOKEN]\n{lines}", env="THE_TOKEN=hunter2-hunter2")
    assert any("looks like a secret" in why for why in not_placed(found).values())
    assert "hunter2" not in shown(found)


@pytest.mark.parametrize("text", ["node", "dist/index.js", "--port=3000", "node_modules/.bin/pm2-runtime", "a" * 40])
def test_words_of_a_command_that_are_no_secret(text: str) -> None:
    assert not looks_secret(text)


def shown(found: Adoption) -> str:
    """Return everything that may be printed or written in plain."""
    return found.document() + json.dumps(
        asdict(replace(found, secrets=dict.fromkeys(found.secrets, ""))), ensure_ascii=False
    )


SECRET_NAMES = (
    "API_KEY",
    "THE_SECRET",
    "DATABASE_URL",
    "lower_token",
    "JWT_SECRET",
    "OPENROUTER_API_KEY",
    "PGPASSWORD",
)
# Begun so that none is there by chance.
VALUES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=6, max_size=40).map(
    lambda text: f"zQ{text}xW"
)


@given(name=st.sampled_from(SECRET_NAMES), value=VALUES, place=st.sampled_from(["environment", "env_file", "variable"]))
def test_no_secret_is_ever_shown_whatever_it_is(name: str, value: str, place: str) -> None:
    quoted = "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    body: dict[str, object] = {
        "image": "registry.example/image:1",
        "ports": ["3000:3000"],
        "command": ["node", f"--flag={value.replace('$', '$$')}"],
        "volumes": [f"./{value.replace('$', '$$')}:/x"],
        "environment": {"COPY": value.replace("$", "$$")},
    }
    env = f"{name}={quoted}\n" if "\\" not in value else ""
    if place == "environment" or not env:
        body["environment"] = {name: value.replace("$", "$$"), "COPY": value.replace("$", "$$")}
    elif place == "env_file":
        body["env_file"] = ".env"
    else:
        body["environment"] = {name: f"${{{name}}}", "COPY": f"${{{name}}}"}
    with TemporaryDirectory() as folder:
        found = adopt(Path(folder), yaml.safe_dump({"services": {"web": body}}, allow_unicode=True), env=env)
    assert value in found.secrets.values() or any(name in each.what for each in found.not_placed)
    assert value not in shown(found)
    assert json.dumps(value, ensure_ascii=False)[1:-1] not in shown(found)
