"""HAProxy's runtime API in the containers of the edge: how it is asked, and what it says of the slots behind it."""

import csv
import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from components import edge
from ops.hosts.docker_host import DockerHost

SHOW_SERVERS = "show stat -1 4 -1"
SERVERS_HEAD = "# pxname"
"""How the answer to SHOW_SERVERS begins."""

SHOW_SLOTS = f"{SHOW_SERVERS}; show servers state"
"""Running requests are only in the first answer, and what an operator has set is only in the second one."""

_UP, _PASSED = "2", "3"  # srv_op_state and srv_check_result, in HAProxy's management guide
_HELD, _UNRESOLVED = 0x01, 0x20  # srv_admin_state: maintenance by a command, and because the name has no address left
_SESSION = " be={} srv="
# Of `show sess all`, which says more of each: a server's address outlives its slot's.
_WHOLE_SESSION = re.compile(
    r"^(?P<id>0x\w+): .*\n  backend=(?P<backend>\S+) .*\n  server=\S+ .*addr=(?P<address>[\d.]+):", re.MULTILINE
)

# For each process that a reload has left behind, to finish what ran there, its servers. Nothing when none is left.
_SHOW_OLDER = f"""
tell() {{ socat -t5 - UNIX-CONNECT:"$0"; }}
older=
while read -r first rest; do
    if [[ $first == '#'* ]]; then [[ $rest == 'old workers'* ]] && older=1 || older=; continue; fi
    [[ $older && $first ]] && echo "@!$first {SHOW_SERVERS}" | tell
done < <(echo 'show proc' | tell)
true
"""


# For each process of an edge, also of one that leaves, and is deaf to all but its master. Commands are divided by `;`.
_EACH_PROCESS = f"""
tell() {{ socat -t5 - UNIX-CONNECT:{edge.MASTER}; }}
while read -r process kind rest; do
    [[ $kind == worker ]] && printf '@!%s; %s\\n' "$process" "$0" | tell
done < <(echo 'show proc' | tell)
true
"""

_LEAVES = "leaving"
_UNLESS_IT_LEAVES = f'[[ -e {edge.LEAVING} ]] && printf {_LEAVES} && exit; exec "$@"'


@dataclass(frozen=True)
class Slot:
    """A server of HAProxy's, filled by the name server.

    `address` is empty while it is free. `held`: kept out of use by a command, which stays when another address takes
    the slot. `up`: in use, and its last check was passed. `running`: requests, or web sockets, on their way.
    """

    backend: str
    name: str
    address: str
    held: bool
    up: bool
    running: int


@dataclass(frozen=True)
class Session:
    """A request, or a web socket, of an edge's; `address` is its replica's."""

    id: str
    backend: str
    address: str


@dataclass(frozen=True)
class AtWork:
    """What runs at an edge. One that `leaves` gets nothing new."""

    leaves: bool
    sessions: Sequence[Session]


def ask(host: DockerHost, stack: str, commands: str, edge_name: str = "") -> dict[str, str]:
    """Run commands, divided by `;`, at a host's running edges, or at one; return what each said, by its name."""
    line = told(commands)
    return host.run_in(stack, edge.NAME, line, only=edge_name) if edge_name else host.run_in(stack, edge.NAME, line)


def told(commands: str) -> list[str]:
    """Return what runs in an edge's container to give HAProxy commands, divided by `;`."""
    # In one go, for each is a round trip to a host; through the shell, for a command goes to standard input.
    return ["bash", "-c", f'printf %s "$0" | {shlex.join(edge.SOCAT)}', f"{commands}\n"]


def serving(host: DockerHost, stack: str, command: list[str]) -> dict[str, str]:
    """Run a command at a host's running edges; return what each printed, by its name.

    Not at one that leaves: it only finishes what it has, knows nothing of new replicas, and takes no command.
    """
    said = host.run_in(stack, edge.NAME, ["bash", "-c", _UNLESS_IT_LEAVES, "edge", *command])
    return {name: printed for name, printed in said.items() if printed != _LEAVES}


def run_everywhere(hosts: Mapping[str, DockerHost], stack: str, command: list[str]) -> dict[str, str]:
    """Do as `serving` at all hosts; return what each edge printed, by "container on host"."""
    with ThreadPoolExecutor(max(1, len(hosts))) as pool:
        ran = pool.map(lambda host: serving(host, stack, command), hosts.values())
        return {
            f"{container} on {address}": printed
            for address, answers in zip(hosts, ran, strict=True)
            for container, printed in answers.items()
        }


def running_in_older(host: DockerHost, stack: str, addresses: Collection[str]) -> int:
    """Return how many requests to some addresses still run in processes that a reload of the edge has left behind."""
    answers = host.run_in(stack, edge.NAME, ["bash", "-c", _SHOW_OLDER, edge.MASTER])
    rows = (row for answer in answers.values() for row in table(answer, SERVERS_HEAD, ","))
    at_addresses = (row for row in rows if row["pxname"] == edge.FRIDAY and row["addr"].rpartition(":")[0] in addresses)
    return sum(int(row["scur"]) for row in at_addresses)


def at_work(host: DockerHost, stack: str, replicas: Collection[str]) -> dict[str, AtWork]:
    """Return what each of a host's edges, by its name, has to do with Friday's replicas at some addresses.

    Also one that leaves: what it finishes may run there.
    """
    kept = f"grep -E '^(0x|  backend=|  server=)' < <({_EACH_PROCESS})"
    line = ["bash", "-c", f"[[ -e {edge.LEAVING} ]] && echo {_LEAVES}\n{kept}", "show sess all"]
    return {
        name: AtWork(said.startswith(_LEAVES), list(_of_friday(said, replicas)))
        for name, said in host.run_in(stack, edge.NAME, line).items()
    }


def end_sessions(host: DockerHost, stack: str, edge_name: str, ids: Iterable[str]) -> None:
    """End some of the sessions of one edge, by their ids, also where it leaves."""
    commands = "; ".join(f"shutdown session {each}" for each in ids)
    host.run_in(stack, edge.NAME, ["bash", "-c", _EACH_PROCESS, commands], only=edge_name)


def _of_friday(said: str, replicas: Collection[str]) -> Iterator[Session]:
    for each in _WHOLE_SESSION.finditer(said):
        if each["backend"] in (edge.FRIDAY, edge.WEB_SOCKETS) and each["address"] in replicas:
            yield Session(each["id"], each["backend"], each["address"])


def slots(answer: str) -> list[Slot]:
    """Return all slots of an answer to SHOW_SLOTS; ValueError when it is none."""
    running = {(row["pxname"], row["svname"]): int(row["scur"]) for row in table(answer, SERVERS_HEAD, ",")}
    states = list(table(answer, "# be_id", " "))
    if not running or not states:
        raise ValueError(f"edge: expected the state of its servers, got: {answer.strip()[:200] or 'nothing'}")
    return [_slot(row, running.get((row["be_name"], row["srv_name"]), 0)) for row in states]


def set_state(slot: Slot, state: str) -> str:
    """Return the command that takes a slot out of use for everybody (`maint`) or gives it back (`ready`).

    Not `drain`: that lets in whoever shows a cookie for the server. Running requests are finished in both.
    """
    return f"set server {slot.backend}/{slot.name} state {state}"


def slot_sessions(answer: str, backend: str) -> list[tuple[str, str]]:
    """Return (id, slot's name) of each session with a server of a backend, in an answer to `show sess`."""
    marked = _SESSION.format(backend)
    lines = (line.partition(":")[::2] for line in answer.splitlines() if marked in line)
    return [(name, rest.partition(marked)[2].split()[0]) for name, rest in lines]


def table(answer: str, head: str, delimiter: str) -> Iterator[Mapping[str, str]]:
    """Yield the rows of one of HAProxy's tables, which ends with an empty line."""
    lines = iter(answer.splitlines())
    for line in lines:
        if line.startswith(head):
            table = [line.removeprefix("# ")]
            for row in lines:
                if not row.strip():
                    break
                table.append(row)
            yield from csv.DictReader(table, delimiter=delimiter)


def _slot(row: Mapping[str, str], running: int) -> Slot:
    state = int(row["srv_admin_state"])
    held = bool(state & _HELD)
    return Slot(
        backend=row["be_name"],
        name=row["srv_name"],
        address="" if state & _UNRESOLVED else row["srv_addr"].strip("-"),
        held=held,
        up=not held and row["srv_op_state"] == _UP and row["srv_check_result"] == _PASSED,
        running=running,
    )
