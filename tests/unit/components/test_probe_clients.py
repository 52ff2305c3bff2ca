"""Each client of a probe as a real process, against a server that wants a header."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from components import probes
from components.probes import HealthProbe, ProbeClient
from testing.meanwhile import until
from testing.served import served

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
    with served(HTTPServer(("127.0.0.1", 0), Picky)) as server:
        yield server.server_port


@pytest.fixture(autouse=True)
def mark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where a probe counts: not in this machine's /tmp. One that stays asks often, and never ends by itself."""
    path = tmp_path / "mark"
    monkeypatch.setattr(probes, "_MARK", str(path))
    monkeypatch.setattr(probes, "_LOOK_SECONDS", 0.1)
    monkeypatch.setattr(probes, "_STAY_SECONDS", 3600)
    return path


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


class Counting:
    """A server that answers each question with the next of some answers, and the last one from then on."""

    def __init__(self, *answers: bytes) -> None:
        self.asked = 0
        self._answers = answers
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            asking, _ = self._socket.accept()
            with asking, suppress(OSError):  # a probe that ends leaves a question behind
                with asking.makefile("rb") as lines:
                    while lines.readline() not in (b"\r\n", b"PING\r\n", b""):
                        pass
                self.asked += 1
                asking.sendall(self._answers[min(self.asked, len(self._answers)) - 1])


WELL, UNWELL = b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 503 Service Unavailable\r\n\r\n"
staying = pytest.mark.parametrize(
    ("client", "well", "unwell"),
    [
        (ProbeClient.BASH, WELL, UNWELL),
        (ProbeClient.PYTHON, WELL, UNWELL),
        (ProbeClient.REDIS, b"+PONG\r\n", b"-LOADING Redis is loading the dataset in memory\r\n"),
    ],
)


@staying
def test_the_first_three_that_are_well_in_a_row_end_at_once_and_the_fourth_stays(
    client: ProbeClient, well: bytes, unwell: bytes, mark: Path
) -> None:
    server = Counting(well, well, well, well, well, unwell)
    for times in ("1", "11", "111"):
        assert run(HealthProbe(port=server.port, client=client)).returncode == 0
        assert mark.read_text().strip() == times
        server.asked = 0
    assert run(HealthProbe(port=server.port, client=client)).returncode == 0
    assert server.asked >= 6, "it has asked until it was told that all is not well"
    assert mark.read_text() == "", "the one after it sees for itself"
    assert run(HealthProbe(port=server.port, client=client)).returncode == 1


@staying
def test_after_its_time_the_next_one_stays(
    client: ProbeClient, well: bytes, unwell: bytes, mark: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "_STAY_SECONDS", 0)
    mark.write_text("111")
    assert run(HealthProbe(port=Counting(well).port, client=client)).returncode == 0
    assert mark.read_text().strip() == "111"


@staying
def test_beside_one_that_stays_others_are_answered_at_once(
    client: ProbeClient, well: bytes, unwell: bytes, mark: Path
) -> None:
    probe = HealthProbe(port=Counting(well).port, client=client)
    mark.write_text("111")
    with subprocess.Popen(probe.docker_test()[1:], stdout=subprocess.PIPE) as first:
        until(lambda: mark.read_text() == "", "one stays")
        for _ in range(3):
            assert run(probe).returncode == 0
        assert first.poll() is None
        first.kill()


@staying
def test_what_takes_a_question_and_never_answers_fails(client: ProbeClient, well: bytes, unwell: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        done = run(HealthProbe(port=silent.getsockname()[1], client=client, timeout_seconds=1))
    assert done.returncode == 1
    assert done.stdout.strip() in {"no answer in 1 s", "timed out"}


@staying
def test_where_nothing_can_be_noted_no_probe_stays(
    client: ProbeClient, well: bytes, unwell: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = HealthProbe(port=Counting(well).port, client=client)
    monkeypatch.setattr(probes, "_MARK", "/nowhere/mark")
    for _ in range(4):
        assert run(probe).returncode == 0
