"""HealthProbe: one definition that Docker, the edge and the host tests all read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

# Each client prints the answer's status line, so that `docker inspect` shows what the probe saw.

_MARK = "/tmp/.friday-probe"  # noqa: S108 - the container's own, in memory, and empty after each start
_LOOK_SECONDS = 5
_STAY_SECONDS = 300
"""How often a probe that stays asks again, and after how long it ends."""
_RARE_SECONDS = 15
"""How often one that does not stay is started, where a start does not wait for it."""

# What a probe costs is its start, by the engine: some 0.04 s of processor time. A question costs next to nothing. So a
# probe that finds all well stays in the container and asks on by itself. It ends at the first bad answer, as well as
# all was until then: those after it see for themselves, and three of them make a container unhealthy, as ever.
#
# The first three that are well in a row end at once, or nobody would hear that a start has succeeded; one of them may
# be the plugin's own, and one somebody's who tries it by hand. The mark counts them. It is empty while one stays, so
# that whoever asks beside it, such as an engine that comes back while containers run, is answered at once.
#
# Bash has no time limit for a connection. So its questions are asked in a process of their own, and what hangs there is
# no answer in time here. Neither a question nor a pause starts a program.
_BASH = """\
port=$1 ask=$2 good=$3 seconds=$4 every=$5 later=$6 stay=$7 mark=$8 times=
exec 4<> <(:)
exec 3< <(
    exec 2>&1
    while exec 5<>"/dev/tcp/127.0.0.1/$port" && printf %s "$ask" >&5 && read -r answer <&5 && echo "$answer"; do
        exec 5>&-
        read -r -t "$every" -u 4
    done
)
asker=$!
well() { read -r -t "$1" -u 3 answer || answer="no answer in $1 s"; [[ $answer == $good ]]; }
well "$seconds"
failed=$?
echo "$answer"
{
    read -r times <"$mark"
    if ((failed)); then
        : >"$mark"
    elif [[ $times != 111 ]]; then
        echo "1$times" >"$mark"
    elif : >"$mark"; then
        while stays=$((SECONDS < stay)) && ((stays)) && well "$later"; do :; done
        ((stays)) || [[ -s $mark ]] || echo 111 >"$mark"
    fi
    kill "$asker"
} 2>/dev/null
exit "$failed"
"""
_PYTHON = """\
import socket, sys, time
port, ask = sys.argv[1:3]
seconds, every, stay = map(float, sys.argv[3:6])
mark = sys.argv[6]
def look():
    try:
        with socket.create_connection(("127.0.0.1", int(port)), seconds) as asked:
            asked.sendall(ask.encode())
            answer = asked.recv(256).split(b"\\r\\n")[0].decode()
    except OSError as error:
        answer = str(error)
    return answer, " 200" in answer
answer, well = look()
print(answer, flush=True)
try:
    with open(mark, "a+") as file:
        file.seek(0)
        times = file.read()
        file.truncate(0)
        if well and times != "111":
            file.write("1" + times)
    if well and times == "111":
        end = time.monotonic() + stay
        while well and time.monotonic() < end:
            time.sleep(every)
            well = look()[1]
        with open(mark, "a") as file:
            if well and not file.tell():
                file.write("111")
        well = True
except OSError:
    pass
sys.exit(not well)
"""
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

    A probe is a process that the engine starts in the container, and its start is what it costs. By bash or Python it
    stays there and asks on, every five seconds, while all is well. By Node it would keep 40 MB, by wget it cannot:
    those are started rarely where the engine has a start interval. The edge asks by HTTP, and pays next to nothing.

    It gates an update's start and, on a Swarm, ends what is unhealthy: a probe that is slow because the host is busy
    must not take the replicas away when they are needed most. Who gets requests is the edge's to say, not the probe's.

    Without a `port` nothing is asked: what runs is healthy. The probe is then a program of the image that does nothing.

    `port` and `path` are those inside the container; `interval_seconds` (from one probe's end to the next one's start),
    `timeout_seconds` (of one question) and `start_period_seconds` are seconds; `retries` is the number of failures in a
    row that make a container unhealthy. Until it is healthy the first time, and no longer than its start period, it is
    asked every `start_interval_seconds`: by engines from 25 on (API 1.44), and not by a Swarm, for the plugin's
    services have none.
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
                times = (self.timeout_seconds, _LOOK_SECONDS, _STAY_SECONDS)
                # -I -S: no site packages are searched, which makes a probe cheap.
                words = map(str, (self.port, self._request(), *times, _MARK))
                return ["CMD", "python3", "-I", "-S", "-c", _PYTHON, *words]
            case ProbeClient.NODE:
                request = json.dumps(self._request())
                program = _NODE.format(port=self.port, request=request, timeout=self.timeout_seconds)
                return ["CMD", "node", "-e", program]
            case ProbeClient.BASH:
                return self._by_bash(self._request(), "* 200*")
            case ProbeClient.REDIS:
                return self._by_bash("PING\r\n", "@(+PONG|-NOAUTH)*")
            case ProbeClient.WGET:
                url = f"http://127.0.0.1:{self.port}{self.path}"
                # Without a time limit of its own, with which busybox before 1.36.1-5 crashes: the engine has one.
                sent = [f"--header={name}: {value}" for name, value in self.headers.items()]
                return ["CMD", "wget", "-q", *sent, "-O", "/dev/null", url]

    @property
    def stays(self) -> bool:
        """Return whether it asks on by itself while all is well, so that the engine starts it every few minutes."""
        return bool(self.port) and self.client in (ProbeClient.BASH, ProbeClient.PYTHON, ProbeClient.REDIS)

    def longest_seconds(self) -> int:
        """Return after how many seconds the engine gives a probe up: one that stays may end with a slow answer."""
        return self.timeout_seconds + (_STAY_SECONDS + _LOOK_SECONDS + self.timeout_seconds if self.stays else 0)

    def rare_seconds(self) -> int:
        """Return the interval for an engine that asks more often at the start: nothing waits for a later probe."""
        return self.interval_seconds if self.stays else max(self.interval_seconds, _RARE_SECONDS)

    def _by_bash(self, ask: str, good: str) -> list[str]:
        times = (self.timeout_seconds, _LOOK_SECONDS, _LOOK_SECONDS + self.timeout_seconds, _STAY_SECONDS)
        return ["CMD", "bash", "-c", _BASH, "probe", *map(str, (self.port, ask, good, *times, _MARK))]

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


def duration(seconds: int) -> str:
    """Return seconds as the engine writes them back ("1m30s"): in any other form each update finds a difference."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
