"""Each client of a probe as a real process, against a server that wants a header."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from components.probes import HealthProbe, ProbeClient

HEADERS = {"Origin": "https://friday.example", "X-Odd": 'it\'s 100% \\n {fine} "so" $HOME `x`'}
CLIENTS = [
    pytest.param(
        client,
        marks=pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed"),
        id=str(client),
    )
    for client, program in (
        (ProbeClient.NODE, "node"),
        (ProbeClient.PYTHON, "python3"),
        (ProbeClient.BASH, "bash"),
        (ProbeClient.WGET, "wget"),
    )
]
each_client = pytest.mark.parametrize("client", CLIENTS)


class Picky(BaseHTTPRequestHandler):
    """Answers 200 to whoever sends all headers as they are, else 500."""

    def do_GET(self) -> None:
        known = all(self.headers[name] == value for name, value in HEADERS.items())
        self.send_response(200 if known and self.path == "/well" else 500)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Picky) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def run(probe: HealthProbe) -> subprocess.CompletedProcess[str]:
    return subprocess.run(probe.docker_test()[1:], capture_output=True, text=True, check=False, timeout=30)


@each_client
def test_headers_arrive_as_they_are_set(client: ProbeClient, port: int) -> None:
    done = run(HealthProbe(port=port, path="/well", client=client, headers=HEADERS))
    assert (done.returncode, done.stderr) == (0, "")
    if client is not ProbeClient.WGET:
        assert done.stdout.startswith("HTTP/1.0 200")


@each_client
def test_any_other_answer_fails_and_is_shown(client: ProbeClient, port: int) -> None:
    done = run(HealthProbe(port=port, path="/well", client=client))
    assert done.returncode != 0
    if client is not ProbeClient.WGET:
        assert done.stdout.startswith("HTTP/1.0 500")


@each_client
def test_a_port_where_nothing_listens_fails(client: ProbeClient) -> None:
    assert run(HealthProbe(port=1, client=client)).returncode != 0
