"""Who asked: addresses that a proxy in front hands on are believed when the stack names that proxy, and only then."""

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.edge.stage import Stage, echoed

pytestmark = pytest.mark.engine

FAR = "198.51.100.0/24"  # nobody here: a network kept for documentation (RFC 5737)
Made = Callable[..., Stage]


@pytest.fixture(scope="module")
def made() -> Iterator[Made]:
    """Make stages by what their edge believes; each has one replica and is kept until the module's end."""
    stages: dict[str, Stage] = {}

    def make(**changes: object) -> Stage:
        key = json.dumps(changes)
        if key not in stages:
            stages[key] = stage = Stage()
            stage.start_edge(**changes)
            stage.start_replica("friday")
            stage.until_up("friday", 1)
        return stages[key]

    try:
        yield make
    finally:
        for stage in stages.values():
            stage.close()


def gateway(stage: Stage) -> str:
    """Return the address from which a program of the host arrives at the edge."""
    stage.network.reload()
    return str(stage.network.attrs["IPAM"]["Config"][0]["Gateway"])


def ask(stage: Stage, *headers: str, before: bytes = b"") -> dict[str, Any]:
    """Ask as a user; return the X-Forwarded headers that reached Friday and, as `log`, the client of the edge's log."""
    lines = "".join(f"{header}\r\n" for header in headers)
    request = f"GET /who HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n{lines}\r\n".encode()
    got = echoed(stage.raw("users", before + request))["headers"]
    stage.until(lambda: logged(stage, dict(got)["x-request-id"]))
    found = {name: [value for key, value in got if key == name] for name, _ in got if name.startswith("x-forwarded")}
    return {**found, "log": logged(stage, dict(got)["x-request-id"])}


def logged(stage: Stage, request_id: str) -> str:
    lines = [line for line in stage.edge.logs().decode().splitlines() if request_id in line]
    return str(json.loads(lines[0])["client"]) if lines else ""


def test_without_the_setting_a_proxys_word_about_the_client_is_dropped(made: Made) -> None:
    stage = made()
    peer = gateway(stage)
    assert ask(stage, "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https") == {
        "x-forwarded-for": [peer],
        "x-forwarded-proto": ["https"],
        "log": peer,
    }


def test_a_stranger_is_not_believed(made: Made) -> None:
    stage = made(trusted_proxies=[FAR])
    peer = gateway(stage)
    said = ("X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https", "X-Forwarded-Host: other.example")
    assert ask(stage, *said) == {"x-forwarded-for": [peer], "x-forwarded-proto": ["http"], "log": peer}


@pytest.mark.parametrize(
    ("said", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.66, 203.0.113.9, 198.51.100.7", "203.0.113.9"),
        ("203.0.113.66, nobody", "the peer"),
        ("203.0.113.66, nobody, 198.51.100.7", "198.51.100.7"),
        ("2001:db8::9", "2001:db8::9"),
    ],
)
def test_a_trusted_proxy_is_believed(made: Made, said: str, client: str) -> None:
    stage = made(trusted_proxies=["172.16.0.0/12", "192.168.0.0/16", "10.0.0.0/8", FAR])
    peer = gateway(stage)
    assert ask(stage, f"X-Forwarded-For: {said}", "X-Forwarded-Proto: https", "X-Forwarded-Host: friday.example") == {
        "x-forwarded-for": [said, peer],
        "x-forwarded-proto": ["https"],
        "x-forwarded-host": ["friday.example"],
        "log": peer if client == "the peer" else client,
    }


def test_each_request_of_a_connection_has_its_own_client(made: Made) -> None:
    stage = made(trusted_proxies=["172.16.0.0/12", "192.168.0.0/16", "10.0.0.0/8", FAR])
    first = b"GET /1 HTTP/1.1\r\nHost: edge\r\nX-Request-Id: one\r\nX-Forwarded-For: 203.0.113.1\r\n\r\n"
    second = b"GET /2 HTTP/1.1\r\nHost: edge\r\nX-Request-Id: two\r\nConnection: close\r\n\r\n"
    stage.raw("users", first + second)
    stage.until(lambda: logged(stage, '"two"'))
    assert (logged(stage, '"one"'), logged(stage, '"two"')) == ("203.0.113.1", gateway(stage))


def test_the_proxy_protocol_says_who_the_client_is(made: Made) -> None:
    stage = made(trusted_proxies=["172.16.0.0/12", "192.168.0.0/16", "10.0.0.0/8"], proxy_protocol=True)
    told = ask(stage, "X-Forwarded-For: 203.0.113.66", before=b"PROXY TCP4 203.0.113.9 203.0.113.1 4711 443\r\n")
    assert told == {"x-forwarded-for": ["203.0.113.9"], "x-forwarded-proto": ["http"], "log": "203.0.113.9"}


def test_a_stranger_speaks_no_proxy_protocol(made: Made) -> None:
    stage = made(trusted_proxies=[FAR], proxy_protocol=True)
    assert ask(stage)["log"] == gateway(stage)
    header = b"PROXY TCP4 203.0.113.9 203.0.113.1 4711 443\r\n"
    assert stage.raw("users", header + b"GET /who HTTP/1.1\r\nHost: edge\r\n\r\n").startswith("HTTP/1.1 400")


def test_the_edge_itself_is_asked_without_the_proxy_protocol(made: Made) -> None:
    stage = made(trusted_proxies=["172.16.0.0/12", "192.168.0.0/16", "10.0.0.0/8"], proxy_protocol=True)
    command = "exec 3<>/dev/tcp/127.0.0.1/3000; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; read -r line <&3; echo $line"
    assert b" 200 " in stage.edge.exec_run(["bash", "-c", command]).output
    with socket.create_connection(("127.0.0.1", stage.ports["operations"]), timeout=10) as connection:
        connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert b" 200 " in connection.recv(100)
