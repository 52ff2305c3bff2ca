"""HealthProbe: one definition that Docker, the edge and the host tests all read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

# Each client prints the answer's status line, so that `docker inspect` shows what the probe saw.
_PYTHON_HTTP = (
    "import socket,sys\n"
    "try:\n"
    " s=socket.create_connection(('127.0.0.1',{port}),{timeout})\n"
    " s.sendall({request})\n"
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

# Of Node's own modules, imported as both kinds of its modules can. Not `fetch`, which Node may start slowly.
_NODE = (
    "import('node:net').then(({{connect}})=>{{"
    "const s=connect({port},'127.0.0.1',()=>s.write({request}));"
    "s.setTimeout({timeout}*1000,()=>s.destroy(Error('no answer in {timeout} s')));"
    "s.once('data',d=>{{const a=String(d).split('\\r\\n')[0];console.log(a);process.exit(a.includes(' 200')?0:1)}});"
    "s.on('error',e=>{{console.error(e.message);process.exit(1)}});"
    "s.on('close',()=>process.exit(1))}})"
)


class ProbeClient(StrEnum):
    """The program inside the image that asks. Images differ in what they carry."""

    NODE = "node"
    PYTHON = "python"
    BASH = "bash"
    WGET = "wget"
    REDIS = "redis"


_IDLE = {
    ProbeClient.NODE: ("node", "-e", "0"),
    ProbeClient.PYTHON: ("python3", "-I", "-S", "-c", "0"),
    ProbeClient.BASH: ("bash", "-c", ":"),
    ProbeClient.WGET: ("true",),
    ProbeClient.REDIS: ("bash", "-c", ":"),
}
"""What does nothing, well: there may be no more programs in an image than the one that asks, and busybox with wget."""


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

    Without a `port` nothing is asked: what runs is healthy. The probe is then a program of the image that does nothing.

    `port` and `path` are those inside the container; `interval_seconds`, `timeout_seconds` and
    `start_period_seconds` are seconds; `retries` is the number of failures in a row that make a
    container unhealthy. Until it is healthy the first time, and no longer than its start period, it is asked every
    `start_interval_seconds`: by engines from 25 on (API 1.44), and not by a Swarm, for the plugin's services have none.
    `headers` go with the request; the edge sends them too.
    """

    port: int
    path: str = "/healthz"
    client: ProbeClient = ProbeClient.PYTHON
    interval_seconds: int = 5
    start_interval_seconds: int = 1
    timeout_seconds: int = 10
    start_period_seconds: int = 10
    retries: int = 3
    headers: Mapping[str, str] = field(default_factory=dict)

    def docker_test(self) -> list[str]:
        """Return the probe in the form of Docker's HEALTHCHECK: exit status 0 is healthy."""
        if not self.port:
            return ["CMD", *_IDLE[self.client]]
        match self.client:
            case ProbeClient.PYTHON:
                request = repr(self._request().encode())
                program = _PYTHON_HTTP.format(port=self.port, request=request, timeout=self.timeout_seconds)
                # -I -S: no site packages are searched, which makes a probe cheap.
                return ["CMD", "python3", "-I", "-S", "-c", program]
            case ProbeClient.NODE:
                request = json.dumps(self._request())
                program = _NODE.format(port=self.port, request=request, timeout=self.timeout_seconds)
                return ["CMD", "node", "-e", program]
            case ProbeClient.BASH:
                ask = _for_printf(self._request().removesuffix("\r\n"))
                return ["CMD", "bash", "-c", _BASH.format(port=self.port, ask=ask, good='*" 200"*')]
            case ProbeClient.REDIS:
                return ["CMD", "bash", "-c", _BASH.format(port=self.port, ask="PING", good="+PONG*|-NOAUTH*")]
            case ProbeClient.WGET:
                url = f"http://127.0.0.1:{self.port}{self.path}"
                # Without a time limit of its own, with which busybox before 1.36.1-5 crashes: the engine has one.
                sent = [f"--header={name}: {value}" for name, value in self.headers.items()]
                return ["CMD", "wget", "-q", *sent, "-O", "/dev/null", url]

    def _request(self) -> str:
        headers = {"Host": "probe", **self.headers}
        lines = [f"GET {self.path} HTTP/1.0", *(f"{name}: {value}" for name, value in headers.items())]
        return "".join(f"{line}\r\n" for line in (*lines, ""))

    def timing(self) -> tuple[int | str, ...]:
        """Return where and how often it asks: what `docker_test` does not say, and some of what it says."""
        where = (self.port, self.path, str(self.client))
        often = (self.interval_seconds, self.start_interval_seconds, self.timeout_seconds, self.start_period_seconds)
        return (*where, *often, self.retries)

    def wait_seconds(self) -> int:
        """Return how long a deployment waits for the first healthy answer, in seconds: one probe may be slow."""
        return self.start_period_seconds + self.retries * self.interval_seconds + self.timeout_seconds


def _for_printf(text: str) -> str:
    """Return a text as the shell's printf takes it between single quotes."""
    escaped = text.replace("\\", "\\\\").replace("%", "%%").replace("'", "'\\''")
    return escaped.replace("\r\n", "\\r\\n")


def duration(seconds: int) -> str:
    """Return seconds as the engine writes them back ("1m30s"): in any other form each update finds a difference."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
