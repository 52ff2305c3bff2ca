"""HealthProbe: one definition that Docker, the edge and the host tests all read."""

from dataclasses import dataclass
from enum import StrEnum

# Each client prints the answer's status line, so that `docker inspect` shows what the probe saw.
_PYTHON_HTTP = (
    "import socket,sys\n"
    "try:\n"
    " s=socket.create_connection(('127.0.0.1',{port}),{timeout})\n"
    " s.sendall(b'GET {path} HTTP/1.0\\r\\nHost: probe\\r\\n\\r\\n')\n"
    " a=s.recv(256).split(b'\\r\\n')[0].decode()\n"
    "except OSError as e:\n"
    " sys.exit(str(e))\n"
    "print(a)\n"
    "sys.exit(0 if ' 200' in a else 1)"
)
_BASH = (
    "exec 3<>/dev/tcp/127.0.0.1/{port} && printf '{ask}\\r\\n' >&3 && "
    'read -r a <&3 && echo "$a" && case "$a" in {good}) exit 0;; *) exit 1;; esac'
)


class ProbeClient(StrEnum):
    """The program inside the image that asks. Images differ in what they carry."""

    PYTHON = "python"
    BASH = "bash"
    WGET = "wget"
    REDIS = "redis"


def client_of(image: str | None) -> ProbeClient:
    """Return what asks inside a named image, or inside the one that is built here (None).

    Those have bash, which takes a tenth of the processor time. Others may have Python only.
    """
    return ProbeClient.PYTHON if image else ProbeClient.BASH


@dataclass(frozen=True)
class HealthProbe:
    """How one part shows that it is healthy.

    A probe is a process that the engine starts in the container, whatever it asks with: what need not be replaced in
    seconds is asked every five. The edge asks by HTTP, several times a second, and pays next to nothing.

    It gates an update's start and, on a Swarm, ends what is unhealthy: a probe that is slow because the host is busy
    must not take the replicas away when they are needed most. Who gets requests is the edge's to say, not the probe's.

    `port` and `path` are those inside the container; `interval_seconds`, `timeout_seconds` and
    `start_period_seconds` are seconds; `retries` is the number of failures in a row that make a
    container unhealthy. Until it is healthy the first time, and no longer than its start period, it is asked every
    `start_interval_seconds`: by engines from 25 on (API 1.44), and not by a Swarm, for the plugin's services have none.
    """

    port: int
    path: str = "/healthz"
    client: ProbeClient = ProbeClient.PYTHON
    interval_seconds: int = 5
    start_interval_seconds: int = 1
    timeout_seconds: int = 10
    start_period_seconds: int = 10
    retries: int = 3

    def docker_test(self) -> list[str]:
        """Return the probe in the form of Docker's HEALTHCHECK: exit status 0 is healthy."""
        match self.client:
            case ProbeClient.PYTHON:
                program = _PYTHON_HTTP.format(port=self.port, path=self.path, timeout=self.timeout_seconds)
                # -I -S: no site packages are searched, which makes a probe cheap.
                return ["CMD", "python3", "-I", "-S", "-c", program]
            case ProbeClient.BASH:
                ask = f"GET {self.path} HTTP/1.0\\r\\nHost: probe\\r\\n"
                return ["CMD", "bash", "-c", _BASH.format(port=self.port, ask=ask, good='*" 200"*')]
            case ProbeClient.REDIS:
                return ["CMD", "bash", "-c", _BASH.format(port=self.port, ask="PING", good="+PONG*|-NOAUTH*")]
            case ProbeClient.WGET:
                url = f"http://127.0.0.1:{self.port}{self.path}"
                return ["CMD", "wget", "-q", "-T", str(self.timeout_seconds), "-O", "/dev/null", url]

    def wait_seconds(self) -> int:
        """Return how long a deployment waits for the first healthy answer, in seconds: one probe may be slow."""
        return self.start_period_seconds + self.retries * self.interval_seconds + self.timeout_seconds


def duration(seconds: int) -> str:
    """Return seconds as the engine writes them back ("1m30s"): in any other form each update finds a difference."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
