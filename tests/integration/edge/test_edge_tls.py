"""HTTPS at the edge: the real HAProxy with a certificate of an authority of the test's own."""

import asyncio
import http.client
import json
import shutil
import socket
import ssl
from collections.abc import Iterator
from typing import Any, cast

import aiohttp
import pytest

from components.certificate import read
from ops.hosts.edge_certificate import served_until
from testing.certificates import Authority
from testing.ports import free_ports
from tests.integration.edge.stage import Stage

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not shutil.which("openssl"), reason="certificates are made with the openssl command"),
]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "authority")


@pytest.fixture(scope="module")
def stage(authority: Authority) -> Iterator[Stage]:
    stage = Stage()
    try:
        certificate = read(*authority.sign("friday", "-days", "90"))
        stage.start_edge(certificate, https_port=free_ports(1)[0], hsts_seconds=300, sticky_cookie="HOME")
        stage.start_websockets_replica()
        stage.until_up("friday", 1)
        yield stage
    finally:
        stage.close()


def trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.ca))


def shaken(stage: Stage, context: ssl.SSLContext) -> ssl.SSLSocket:
    """Return a connection whose handshake is done."""
    raw = socket.create_connection(("127.0.0.1", stage.ports["https"]), timeout=10)
    return context.wrap_socket(raw, server_hostname="127.0.0.1")


def test_users_are_served_over_https(stage: Stage, authority: Authority) -> None:
    client = http.client.HTTPSConnection("127.0.0.1", stage.ports["https"], context=trusting(authority), timeout=10)
    client.request("GET", "/healthz")
    answer = client.getresponse()
    assert answer.status == 200
    assert answer.headers["Strict-Transport-Security"] == "max-age=300"
    assert answer.headers["Set-Cookie"].endswith("; HttpOnly; Secure")


def test_the_app_is_told_that_it_was_https(stage: Stage, authority: Authority) -> None:
    client = http.client.HTTPSConnection("127.0.0.1", stage.ports["https"], context=trusting(authority), timeout=10)
    client.request("GET", "/who", headers={"X-Forwarded-Proto": "http", "X-Forwarded-Host": "other.example"})
    seen = json.loads(client.getresponse().read())
    assert (seen["X-Forwarded-Proto"], "X-Forwarded-Host" in seen) == ("https", False)


def test_clear_text_is_sent_on(stage: Stage) -> None:
    to = b"Host: friday.example:3000\r\nConnection: close\r\n\r\n"
    answer = stage.raw("users", b"GET /api/chat?a=1 HTTP/1.1\r\n" + to)
    head = answer.split("\r\n\r\n", 1)[0].lower()
    assert head.startswith("http/1.1 308")
    assert f"location: https://friday.example:{stage.ports['https']}/api/chat?a=1" in head
    assert "strict-transport-security" not in head
    said = stage.raw("users", b"GET / HTTP/1.1\r\nHost: e\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n")
    assert said.startswith("HTTP/1.1 308")


def test_an_update_asks_in_the_container_without_https(stage: Stage) -> None:
    ask = (
        "exec 3<>/dev/tcp/127.0.0.1/3000; printf 'GET /healthz HTTP/1.0\\r\\nHost: friday\\r\\n\\r\\n' >&3; head -1 <&3"
    )
    assert b" 200 " in stage.edge.exec_run(["bash", "-c", ask]).output


@pytest.mark.parametrize(("offered", "chosen"), [(["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1")])
def test_http_2_is_spoken_with_those_who_can(
    stage: Stage, authority: Authority, offered: list[str], chosen: str
) -> None:
    context = trusting(authority)
    context.set_alpn_protocols(offered)
    with shaken(stage, context) as connection:
        assert connection.selected_alpn_protocol() == chosen


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_of_today_is_spoken(stage: Stage, authority: Authority, version: ssl.TLSVersion) -> None:
    context = trusting(authority)
    context.minimum_version = context.maximum_version = version
    with shaken(stage, context) as connection:
        assert connection.version() == {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[version.name]


def test_tls_1_1_is_refused(stage: Stage, authority: Authority) -> None:
    context = trusting(authority)
    context.set_ciphers("ALL:@SECLEVEL=0")  # or the client itself would not try
    with pytest.deprecated_call():
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        shaken(stage, context)


def test_a_web_socket_goes_through_tls(stage: Stage, authority: Authority) -> None:
    asyncio.run(_talk(f"https://127.0.0.1:{stage.ports['https']}/socket", trusting(authority)))


async def _talk(url: str, context: ssl.SSLContext) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(url, ssl=context) as connected:
        await connected.send_str("hello")
        assert (await connected.receive_str()).endswith(" hello")


class AtTheEdge:
    """The host of the stage, as far as `served_until` asks it."""

    def __init__(self, stage: Stage) -> None:
        self.edge = stage.edge

    def run_in(self, stack: str, part: str, command: list[str]) -> dict[str, str]:
        return {f"{stack}-{part}": cast(bytes, self.edge.exec_run(command).output).decode()}


def test_the_edge_says_until_when_its_certificate_is_valid(stage: Stage, authority: Authority) -> None:
    host: Any = AtTheEdge(stage)
    with shaken(stage, trusting(authority)) as connection:
        (shown,) = [value for name, value in (connection.getpeercert() or {}).items() if name == "notAfter"]
    ends = served_until(host, "t")
    assert ends is not None
    assert ends.timestamp() == ssl.cert_time_to_seconds(str(shown))
