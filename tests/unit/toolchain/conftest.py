"""A user of the test's own: empty cache, state, home and PATH folder; programs are stubs written by each test."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

Stub = Callable[[str, str], Path]


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test a home without anything of this machine's; return it."""
    pulumi = ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
    tls = ("DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
    for variable in (*pulumi, *tls, "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG"):
        monkeypatch.delenv(variable, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("FRIDAY_STATE_DIR", str(home / "state"))
    return home


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stub:
    """Return a function that puts a shell script on PATH, in front of the machine's basic tools only."""
    folder = tmp_path / "stubs"
    folder.mkdir()
    basics = tmp_path / "basics"
    basics.mkdir()
    for tool in ("sh", "cat", "touch", "sleep", "echo"):
        real = next(p for p in (Path("/bin") / tool, Path("/usr/bin") / tool) if p.exists())
        (basics / tool).symlink_to(real)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{basics}")

    def write(name: str, script: str) -> Path:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        return path

    return write
