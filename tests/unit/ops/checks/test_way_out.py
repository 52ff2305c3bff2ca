"""How far a container gets on its way to OpenRouter: each hop that can fail is named, by what runs there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ops.checks import way_out, way_out_probe
from ops.errors import CheckError
from testing.certificates import Authority
from testing.way_out import proxy, upstream
from tests.unit.given import LOCAL, settings
from tests.unit.ops.deployed import Played

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="certificates are made with the openssl command")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates") / "company")


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> tuple[Path, Path]:
    return authority.sign("upstream", extensions="subjectAltName=DNS:localhost")


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)


def said(url: str, monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return way_out_probe.main(url)


def test_the_way_leads_through_a_proxy_to_a_private_authority(
    authority: Authority, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with upstream(certificate) as port, proxy() as between:
        named = {"HTTPS_PROXY": f"http://127.0.0.1:{between.port}", "SSL_CERT_FILE": str(authority.ca)}
        url = f"https://localhost:{port}/api/v1/models"
        assert said(url, monkeypatch, **named) == "ok: 1 free models are listed"
        assert between.asked == [f"localhost:{port}"]
        assert said(url, monkeypatch, NO_PROXY="localhost") == "ok: 1 free models are listed"
        assert len(between.asked) == 1


def test_it_runs_by_itself_as_in_a_container(authority: Authority, certificate: tuple[Path, Path]) -> None:
    with upstream(certificate) as port:
        words = [sys.executable, "-I", "-c", way_out.PROGRAM, f"https://localhost:{port}/"]
        done = subprocess.run(
            words, check=True, env={"SSL_CERT_FILE": str(authority.ca)}, capture_output=True, text=True
        )
    assert (done.stdout, done.stderr) == ("ok: 1 free models are listed\n", "")


def test_a_name_that_nobody_knows_is_the_name_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said("https://nowhere.invalid/", monkeypatch).startswith("name server: nowhere.invalid is not found")
    with_proxy = said("https://localhost/", monkeypatch, HTTPS_PROXY="http://proxy.invalid:3128")
    assert with_proxy.startswith("name server: proxy.invalid is not found")


def test_a_port_that_is_closed_is_the_connection_or_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said("https://127.0.0.1:1/", monkeypatch).startswith("connection: 127.0.0.1:1 takes no connection")
    closed = said("https://127.0.0.1:1/", monkeypatch, HTTPS_PROXY="http://127.0.0.1:2")
    assert closed.startswith("proxy: 127.0.0.1:2 takes no connection")


@pytest.mark.parametrize("status", ["403 Forbidden", "407 Proxy Authentication Required"])
def test_a_proxy_that_refuses_is_named_with_its_answer(status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy(status) as between:
        found = said("https://localhost:9/", monkeypatch, HTTPS_PROXY=f"http://127.0.0.1:{between.port}")
    assert found == f"proxy: CONNECT localhost:9 was answered with HTTP/1.1 {status}"


def test_a_certificate_of_an_unknown_authority_is_named(
    certificate: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with upstream(certificate) as port:
        url = f"https://localhost:{port}/"
        assert said(url, monkeypatch).startswith("certificate: that of localhost is not accepted (")
        missing = said(url, monkeypatch, SSL_CERT_FILE=str(tmp_path / "none"))
        assert missing.startswith("certificate: SSL_CERT_FILE=")


def test_what_speaks_no_tls_is_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    with upstream(None) as port:
        assert said(f"https://localhost:{port}/", monkeypatch).startswith("connection: localhost speaks no TLS")


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (403, b"{}", "status: GET /models was answered with 403"),
        (200, b"<html>", "status: GET /models was answered with something else than a list of models"),
        (200, b'{"data": [1]}', "status: GET /models was answered with something else than a list of models"),
    ],
)
def test_a_wrong_answer_is_the_status(status: int, body: bytes, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with upstream(None, status, body) as port:
        assert said(f"http://localhost:{port}/models", monkeypatch) == expected


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
def test_node_names_the_hop_too(certificate: tuple[Path, Path]) -> None:
    with upstream(certificate) as port:
        words = ["node", "-e", way_out._NODE, f"https://localhost:{port}/"]
        found = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert found.startswith("certificate: ")


OWN = {**LOCAL["friday"], "image": f"registry.example/friday@sha256:{'0' * 64}"}


@pytest.mark.parametrize(
    ("changes", "programs"),
    [
        ({"upstream": "simulator"}, {}),
        ({}, {"litellm": "python3", "friday": "python3"}),
        ({"friday": OWN}, {"litellm": "python3", "friday": "node"}),
        ({"friday": {**OWN, "probeClient": "wget"}}, {"litellm": "python3", "friday": "sh"}),
        ({"friday": {**OWN, "probeClient": "bash"}}, {"litellm": "python3"}),
    ],
)
def test_each_part_asks_with_what_its_image_has(changes: dict[str, Any], programs: Mapping[str, str]) -> None:
    found = way_out.commands(settings(**{"upstream": "openrouter", **changes}))
    assert {part: words[0] for part, words in found.items()} == programs


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("ok: 12 free models are listed\n", ""),
        ("proxy: CONNECT was\nanswered with 403", "proxy: CONNECT was answered with 403"),
        ("executable file not found", "it could not be asked (executable file not found)"),
        ("", "it could not be asked (nothing was printed)"),
    ],
)
def test_what_a_container_prints_is_understood(line: str, problem: str) -> None:
    assert way_out.failed_hop(line) == problem


class Host:
    """A host whose containers print what they are given."""

    def run_in(self, stack: str, part: str, command: list[str]) -> dict[str, str]:
        return {f"friday-t-{part}-1": "name server: openrouter.ai is not found" if part == "litellm" else "ok: 12"}


def test_an_update_fails_with_part_host_and_hop_and_only_warns_when_openrouter_may_be_away() -> None:
    reports: list[tuple[str, str]] = []
    deployment: Any = SimpleNamespace(
        name="t", settings=settings(upstream="openrouter"), report=lambda *words: reports.append(words)
    )
    hosts: Any = {"ssh://root@a": Host()}
    with pytest.raises(CheckError, match="OpenRouter is not reached by litellm") as caught:
        way_out.require(deployment, hosts, warn_only=False)
    assert caught.value.details == "ssh://root@a: friday-t-litellm-1: name server: openrouter.ai is not found"
    assert "egress.proxy" in caught.value.fix
    way_out.require(deployment, hosts, warn_only=True)
    assert [(kind, "friday-t-litellm-1: name server" in text) for kind, text in reports] == [("warning", True)]


def test_with_the_simulator_nobody_is_asked() -> None:
    way_out.require(Played(), {"a": None}, warn_only=False)  # type: ignore[dict-item]
