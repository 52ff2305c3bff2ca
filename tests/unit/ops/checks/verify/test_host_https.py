"""The users' ports of an edge with HTTPS, or with the PROXY protocol, over real sockets."""

import datetime as dt
import shutil
import ssl
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from components import certificate
from ops.checks.report import Check, State
from ops.checks.verify import host
from ops.hosts.testinfra_host import TestHost
from testing.certificates import Authority
from testing.ports import free_ports
from tests.unit.given import settings
from tests.unit.ops.checks.verify.test_host_ports import Edge

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="certificates are made with the openssl command")

PLACE = TestHost("unix:///var/run/docker.sock", None, ["docker"])


class SecureEdge(Edge):
    """The same over HTTPS, where HEAD is asked too."""

    do_HEAD = Edge._answer  # noqa: N815 - the library's name


class Redirecting(Edge):
    """Sends everybody on."""

    def _answer(self) -> None:
        self.send_response(308)
        self.end_headers()

    do_GET = _answer  # noqa: N815 - the library's name


class Served:
    """Both users' ports and the files of a certificate; `shown` is what the edge shows instead of it."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder / "authority")
        self.files = self.authority.sign("friday", "-days", "90")
        self.servers: list[ThreadingHTTPServer] = []

    def tls(self, shown: tuple[Path, Path]) -> dict[str, Any]:
        """Serve, and return the settings that say so."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*shown)
        plain, secure = self._serve(Redirecting), self._serve(SecureEdge, context)
        certificate_file, key_file = map(str, self.files)
        tls = {"certificateFile": certificate_file, "keyFile": key_file, "port": secure}
        return {"port": plain, "gatewayPort": free_ports(1)[0], "tls": tls}

    def _serve(self, handler: type[Edge], context: ssl.SSLContext | None = None) -> int:
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.servers.append(server)
        return int(server.server_address[1])


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    try:
        yield made
    finally:
        for server in made.servers:
            server.shutdown()
            server.server_close()


def users_ports(edge: dict[str, Any]) -> list[Check]:
    return host.ports(PLACE, "t", settings(edge=edge))[:-1]


def test_users_are_sent_to_https_and_see_the_certificate(served: Served) -> None:
    plain, secure, shown = users_ports(served.tls(served.files))
    assert [check.state for check in (plain, secure, shown)] == [State.OK] * 3
    assert "users are sent to HTTPS" in plain.name
    assert "shows the certificate of edge.tls (89 days are left)" in shown.name


def test_another_certificate_is_told(served: Served) -> None:
    shown = users_ports(served.tls(served.authority.sign("other")))[-1]
    assert shown.problems == ("another certificate is shown: the edge has not taken this one yet",)


def test_one_that_has_ended_is_told(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    edge = served.tls(served.files)
    monkeypatch.setattr(certificate.Certificate, "days_left", lambda *_: -1)
    (problem,) = users_ports(edge)[-1].problems
    assert problem == f"it ended on {dt.datetime.now(dt.UTC) + dt.timedelta(days=90):%Y-%m-%d}"


def test_a_port_that_does_not_answer_is_told(served: Served) -> None:
    edge = served.tls(served.files)
    edge["tls"]["port"] = free_ports(1)[0]
    assert all("no answer" in check.details for check in users_ports(edge)[1:])


def test_over_tcp_a_port_of_the_loopback_is_not_asked(served: Served) -> None:
    place = TestHost("tcp://127.0.0.1:2376", None, ["docker"])
    checks = host.ports(place, "t", settings(edge=served.tls(served.files)))
    assert {check.state for check in checks} == {State.SKIPPED}


def test_a_port_for_the_proxy_protocol_is_not_asked() -> None:
    (check,) = users_ports({"proxyProtocol": True, "trustedProxies": ["10.0.0.1"]})
    assert (check.state, check.found) == (State.SKIPPED, "it is for proxies that speak the PROXY protocol")
