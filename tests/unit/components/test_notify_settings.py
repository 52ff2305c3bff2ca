"""What a stack file may say about who is told; what it takes to write there is never in the open, nor shown."""

from pathlib import Path
from typing import Any

import pytest

from components.settings.source import SettingsError, from_pulumi, from_stack_file
from tests.unit.given import SECRETS, settings, stack_file

SECURE = {"secure": "v1:abc"}
MAIL = {"host": "mail.example.com", "from": "friday@example.com", "to": ["ops@example.com"]}
URL = "https://hooks.example/services/T0/secretpart"


def problem(folder: Path, notify: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        from_stack_file(stack_file(folder, {"notify": notify}), SECRETS)
    return str(caught.value)


def test_channels_are_those_that_are_named(tmp_path: Path) -> None:
    assert settings().notify.channels == {}
    said = {"slack": {"url": SECURE, "events": ["abort"]}, "command": {"run": ["page"]}}
    read = from_stack_file(stack_file(tmp_path, {"notify": said}), SECRETS).notify
    assert list(read.channels) == ["slack", "command"]
    assert [channel.events for channel in read.channels.values()] == [
        ("abort",),
        ("step", "abort", "hold", "rollback", "pause", "check"),
    ]


@pytest.mark.parametrize("path", ["slack.url", "webhook.url", "webhook.token", "email.password"])
def test_a_plain_secret_is_refused(path: str, tmp_path: Path) -> None:
    channel, _, field = path.partition(".")
    needed = {**MAIL, "user": "friday"} if channel == "email" else {"url": SECURE}
    said = problem(tmp_path, {channel: {**needed, field: URL}})
    assert f"friday-litellm:notify.{path}: should be encrypted (found plain)" in said
    assert f"pulumi config set --secret --path notify.{path} -s t" in said
    assert "secretpart" not in said


@pytest.mark.parametrize(
    ("notify", "said"),
    [
        ({"slack": {}}, "notify.slack.url: should be the webhook's address, encrypted (got missing)"),
        (
            {"slack": {"url": SECURE, "events": ["stepp"]}},
            "a list of one or more of step, abort, hold, rollback, pause",
        ),
        ({"slack": {"url": SECURE, "events": []}}, "a list of one or more of step"),
        ({"command": {"run": []}}, "notify.command.run: should be a list of the program and its words"),
        ({"mail": {}}, "notify.mail: is not a setting (known here: command, email, slack, webhook)"),
        ({"command": {"run": ["page"], "events": ["alert"]}}, "pause, check (a program is not told of alerts)"),
        ({"email": {**MAIL, "to": ["nobody"]}}, "notify.email.to.0: should be a list of up to 20 addresses"),
        ({"email": {**MAIL, "to": ["{{ x }}@example.com"]}}, "not an address such as ops@example.com"),
        ({"email": {**MAIL, "user": "friday"}}, "user and password should be given together"),
        (
            {"email": {**MAIL, "user": "friday", "password": SECURE, "requireTls": False}},
            "user and password should be left out unless requireTls is true",
        ),
    ],
)
def test_a_mistake_is_worded(notify: Any, said: str, tmp_path: Path) -> None:
    assert said in problem(tmp_path, notify)


@pytest.mark.parametrize("notify", [f'{{"slack": "{URL}"}}', f'["{URL}"]', URL])
def test_what_pulumi_hands_over_decrypted_is_not_shown(notify: str) -> None:
    config = {f"friday-litellm:{key}": value for key, value in {**SECRETS, "notify": notify}.items()}
    with pytest.raises(SettingsError) as caught:
        from_pulumi({**config, "friday-litellm:upstream": "simulator"}, "t", {})
    assert "friday-litellm:notify" in str(caught.value)
    assert "secretpart" not in str(caught.value)


def test_what_pulumi_hands_over_is_what_is_used() -> None:
    config = {f"friday-litellm:{key}": value for key, value in SECRETS.items()}
    config |= {"friday-litellm:upstream": "simulator", "friday-litellm:notify": f'{{"slack": {{"url": "{URL}"}}}}'}
    config["friday-litellm:friday"] = '{"environment": {"OWNER_OPEN_ID": "o", "DATABASE_URL": "f", "VITE_APP_ID": "v"}}'
    slack = from_pulumi(config, "t", {}).notify.slack
    assert slack
    assert slack.url.get_secret_value() == URL
    assert "secretpart" not in repr(slack)
