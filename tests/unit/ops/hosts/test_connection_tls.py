"""Engines on tcp://: reached with three files, and a message for each thing that is wrong with them."""

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from components.settings.hosts import SshSettings, TlsSettings
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts.connection import connect
from testing.certificates import Authority
from testing.ports import free_ports
from testing.served import served
from tests.unit.ops.engine import VERSION, Handler

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="certificates are made with the openssl command")


def reaching(authority: Authority, **other: Path) -> TlsSettings:
    """Return settings with an authority and a client's certificate of it, some files replaced by others."""
    cert, key = authority.sign("client")
    return TlsSettings.model_validate({"ca_file": authority.ca, "cert_file": cert, "key_file": key, **other})


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@contextmanager
def serving(context: ssl.SSLContext | None) -> Iterator[str]:
    """Serve an engine on tcp, with TLS or without; yield its address."""

    class Server(ThreadingHTTPServer):
        answers: dict[str, Any] = {"/version": VERSION, "/info": {"ServerVersion": "20.10.24"}}  # noqa: RUF012
        asked: list[str] = []  # noqa: RUF012

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Keep quiet about refused handshakes."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        with served(server):
            yield f"tcp://127.0.0.1:{server.server_port}"


def mutual(authority: Authority) -> ssl.SSLContext:
    """Return the server's side of mutual TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.sign("server"))
    context.load_verify_locations(authority.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def refused(address: str, tls: TlsSettings) -> OperationError:
    with pytest.raises(OperationError) as caught:
        connect(address, SshSettings(), tls)
    assert caught.value.exit_code == EXIT_USAGE
    return caught.value


def test_an_engine_with_mutual_tls_is_asked(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    # The authorities of the machine say nothing about the stack's.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(Authority(authority.ca.parent.parent / "company").ca))
    with serving(mutual(authority)) as address:
        client = connect(address, SshSettings(), reaching(authority))
        assert client.info()["ServerVersion"] == "20.10.24"
        client.close()


def test_a_host_that_another_authority_vouches_for_is_refused(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other")
    with serving(mutual(authority)) as address:
        error = refused(address, reaching(authority, ca_file=other.ca))
    assert error.message.startswith(f"{address}: TLS handshake refused here")
    assert f"openssl s_client -connect {address.removeprefix('tcp://')}" in error.fix


def test_a_host_that_refuses_the_certificate_is_told_apart(authority: Authority, tmp_path: Path) -> None:
    cert, key = Authority(tmp_path / "other").sign("client")
    with serving(mutual(authority)) as address:
        error = refused(address, reaching(authority, cert_file=cert, key_file=key))
    assert error.message == f"{address}: TLS handshake refused there: it does not accept {cert}"


def test_an_engine_without_tls_is_not_talked_to(authority: Authority) -> None:
    with serving(None) as address:
        error = refused(address, reaching(authority))
    assert error.message == f"{address}: TLS handshake failed: what answers there is no Docker daemon with TLS"


def test_the_users_own_docker_host_may_be_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(None) as address:
        client = connect(address, SshSettings(), None)
        assert client.info()["ServerVersion"] == "20.10.24"
        client.close()
    with pytest.raises(OperationError, match="cannot be reached"):
        connect(f"tcp://127.0.0.1:{free_ports(1)[0]}", SshSettings(), None)


def test_without_tls_an_engine_with_it_is_told_from_one_that_is_not_there(authority: Authority) -> None:
    with serving(mutual(authority)) as address, pytest.raises(OperationError) as caught:
        connect(address, SshSettings(), None)
    assert caught.value.message.startswith(f"{address}: what answers there is no Docker daemon")
    assert "DOCKER_TLS_VERIFY=1" in caught.value.fix


def test_a_host_that_is_not_there_is_not_reached(authority: Authority) -> None:
    error = refused(f"tcp://127.0.0.1:{free_ports(1)[0]}", reaching(authority))
    assert error.message.endswith(": cannot be reached")
    assert "Connection refused" in error.details


@pytest.mark.parametrize(
    ("file", "setting"), [("ca_file", "caFile"), ("cert_file", "certFile"), ("key_file", "keyFile")]
)
def test_a_file_that_is_not_there_is_named_with_its_setting(authority: Authority, file: str, setting: str) -> None:
    error = refused("tcp://127.0.0.1:1", reaching(authority, **{file: Path("/nonexistent.pem")}))
    assert error.message == f"tls.{setting}: /nonexistent.pem should be readable (No such file or directory)"


@pytest.mark.parametrize(
    ("file", "message"),
    [("ca_file", "tls.caFile: "), ("cert_file", "tls.certFile and tls.keyFile: "), ("key_file", "tls.certFile and ")],
)
def test_a_file_with_something_else_in_it_is_named(
    authority: Authority, tmp_path: Path, file: str, message: str
) -> None:
    other = tmp_path / "other.pem"
    other.write_text("nothing of the kind")
    error = refused("tcp://127.0.0.1:1", reaching(authority, **{file: other}))
    assert error.message.startswith(message)
    assert str(other) in error.message


def test_a_key_with_a_passphrase_is_refused_instead_of_asked_for(authority: Authority, tmp_path: Path) -> None:
    locked = tmp_path / "locked.key"
    _, key = authority.sign("client")
    locking = ["openssl", "pkey", "-in", str(key), "-aes256", "-passout", "pass:secret", "-out", str(locked)]
    subprocess.run(locking, check=True, capture_output=True)
    tls = TlsSettings(ca_file=authority.ca, cert_file=authority.ca.with_name("client.pem"), key_file=locked)
    assert "without a passphrase" in refused("tcp://127.0.0.1:1", tls).message
