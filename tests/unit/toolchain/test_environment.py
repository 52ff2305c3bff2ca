"""The environment for Pulumi, and `fridayctl env`."""

import os
import socket
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.env import env_command
from toolchain import paths
from toolchain.environment import environment, made_by, state_address


def test_points_to_our_tools_and_state() -> None:
    variables = environment()
    first, second = variables["PATH"].split(os.pathsep)[:2]
    assert first == str(paths.VENV / "bin")
    assert second == str(paths.tools_bin())
    assert variables["PULUMI_HOME"] == str(paths.pulumi_home())
    assert variables["PULUMI_BACKEND_URL"] == f"file://{paths.pulumi_state()}"
    assert variables["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(paths.passphrase_file())
    assert variables["FRIDAY_STATE_DIR"] == str(paths.state_dir())
    assert variables["PULUMI_PARALLEL_DIFF"] == "true"


@pytest.mark.parametrize(
    ("chosen", "left_out"),
    [
        ("PULUMI_BACKEND_URL", "PULUMI_BACKEND_URL"),
        ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"),
        ("PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_CONFIG_PASSPHRASE_FILE"),
    ],
)
def test_keeps_what_the_user_chose(monkeypatch: pytest.MonkeyPatch, chosen: str, left_out: str) -> None:
    monkeypatch.setenv(chosen, "mine")
    assert left_out not in environment()


def test_an_empty_passphrase_is_a_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "")
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in environment()


def test_path_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    once = environment()["PATH"]
    monkeypatch.setenv("PATH", once)
    assert environment()["PATH"] == once


@pytest.mark.parametrize("proxy", ["http_proxy", "HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize(
    ("said", "lower", "upper"),
    [
        ({}, "127.0.0.1,localhost", "127.0.0.1,localhost"),
        ({"NO_PROXY": "corp.example, localhost"},) + ("corp.example,localhost,127.0.0.1",) * 2,
        ({"no_proxy": "a", "NO_PROXY": "b"}, "a,127.0.0.1,localhost", "b,127.0.0.1,localhost"),
        ({"no_proxy": "*"}, "*", "*"),
    ],
)
def test_what_stays_on_this_machine_goes_past_a_proxy(
    proxy: str, said: dict[str, str], lower: str, upper: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_proxies(monkeypatch)
    for name, value in {proxy: "http://proxy.example:3128", **said}.items():
        monkeypatch.setenv(name, value)
    assert (environment()["no_proxy"], environment()["NO_PROXY"]) == (lower, upper)
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    assert (environment()["no_proxy"], environment()["NO_PROXY"]) == (lower, upper)


def test_without_a_proxy_nothing_is_said_of_any(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)
    assert not {"no_proxy", "NO_PROXY"} & environment().keys()


def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_a_shell_reads_back_every_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nasty = tmp_path / "a 'quoted' $HOME; `id`"
    nasty.mkdir()
    monkeypatch.setenv("FRIDAY_STATE_DIR", str(nasty))
    result = CliRunner().invoke(env_command)
    assert result.exit_code == 0
    shown = subprocess.run(
        ["/bin/sh", "-c", f'{result.stdout}\nprintf %s "$FRIDAY_STATE_DIR"'], capture_output=True, text=True, check=True
    )
    assert shown.stdout == str(nasty)


def test_says_when_set_up_is_missing() -> None:
    result = CliRunner().invoke(env_command)
    assert "fix: ./fridayctl setup" in result.stderr
    assert "fix" not in result.stdout


@pytest.mark.parametrize(
    ("backend", "shown"),
    [
        ("file:///srv/states", "file:///srv/states"),
        ("s3://states/friday?region=eu-1", "s3://states/friday"),
        ("postgres://anna:secret@db.example/states", "postgres://db.example/states"),
    ],
)
def test_where_the_state_is_is_said_without_a_login(monkeypatch: pytest.MonkeyPatch, backend: str, shown: str) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", backend)
    monkeypatch.setenv("LOGNAME", "anna")
    assert state_address() == shown
    assert made_by() == f"anna@{socket.gethostname()}, state in {shown}"


def test_a_user_without_a_name_is_its_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert made_by() == f"{socket.gethostname()}, state in file://{paths.pulumi_state()}"
