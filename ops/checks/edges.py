"""What is asked through every edge after an update, and what the edges and the gateway say of what is behind them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest

from components.edge import CONFIG, GATEWAY_HOST_PORT, USERS_PORT, check_ms
from components.settings.stack import StackSettings
from ops.checks import limited
from ops.deployment import Deployment
from ops.errors import CheckError, OperationError
from ops.hosts.docker_host import DockerHost, Instance
from ops.hosts.edge_runtime import run_everywhere
from ops.hosts.edge_servers import BACKENDS, EdgeServer, edge_servers, up
from ops.waiting import look_until

# A new edge asks its replicas first, and a Swarm's hosts tell each other where those are.
_EDGE_SECONDS = 15.0
_EDGE_EVERY = 0.5
_CHECKS_SECONDS = 5.0
"""How long the edge's checks of a new replica are looked at: a few of them."""

_NO_ANSWER = "no answer"

FRIDAY, GATEWAY = "Friday", "the gateway"
"""What is asked for through an edge, in words."""

# Each question is a port and a whole request, in which the edge's own key is filled in: the edge has it in a file, and
# so it is in nobody's arguments. Printed is a line for each: the head of the answer, its lines parted by tabs, and the
# body behind an empty one where the key was asked for.
_KEY = "\x1aedge-key"  # no header of the settings holds such a character
_ASK_EDGE = f"""
key=$(sed -n 's/.*set-header Authorization "Bearer \\([^"]*\\)".*/\\1/p' {CONFIG} 2>/dev/null)
for ask; do (
  request=${{ask#* }}
  exec 3<>"/dev/tcp/127.0.0.1/${{ask%% *}}" || exit
  printf '%s' "${{request/{_KEY}/$key}}" >&3 && read -t 10 -r line <&3 || exit
  while line=${{line%$'\\r'}}; [ "$line" ]; do printf '%s\\t' "$line"; read -t 10 -r line <&3 || break; done
  case $request in *{_KEY}*) head -c 65536 <&3 | tr -d '\\r\\n\\t' ;; esac
  echo
) 2>/dev/null || echo "{_NO_ANSWER}"; done
"""


@dataclass(frozen=True)
class Seen:
    """What one edge ("container on host") got from what is behind it: by what was asked, the answer's lines."""

    edge: str
    answers: Mapping[str, tuple[str, ...]]

    def status(self, what: str) -> str:
        """Return the status of an answer, or "no answer"."""
        first = self.answers.get(what, ())[:1]
        words = first[0].split() if first else []
        return words[1] if len(words) > 1 and words[0].startswith("HTTP/") else _NO_ANSWER


def require_serving(stack: str, hosts: Mapping[str, DockerHost], settings: StackSettings) -> list[Seen]:
    """Ask every edge, where it runs, whether it leads to Friday, and to a gateway that is used; CheckError if not.

    A healthy container may still be one that nobody finds: so it is on a Swarm's host whose engine does not learn the
    services' names. `hosts` are those that answer, by address; one without an edge sends nobody anywhere.
    """
    asked = {FRIDAY: _question(USERS_PORT, settings.friday.health_path, settings.friday.probe_headers)}
    if settings.uses_gateway:
        # Not at Friday's own port: whether Friday calls the gateway is told by what that port has counted.
        asked[GATEWAY] = _question(GATEWAY_HOST_PORT, "/health", {"Authorization": f"Bearer {_KEY}"})
    found = look_until(
        lambda: _ask(stack, hosts, asked), lambda seen: not list(_unserved(seen, asked)), _EDGE_SECONDS, _EDGE_EVERY
    )
    if wrong := list(_unserved(found, asked)):
        fix = f"./fridayctl verify {stack} tells what is not found; docs/TROUBLESHOOTING.md, The stack, says why"
        raise CheckError(f"{stack}: an edge does not get through", fix, details="\n".join(wrong))
    return found


def report_seen(deployment: Deployment, hosts: Mapping[str, DockerHost], seen: list[Seen]) -> None:
    """Report of each edge what Friday's health path answered through it, and what it and the gateway say."""
    settings = deployment.settings
    behind = edge_servers(hosts, deployment.name)
    for each in seen:
        words = [f"GET {settings.friday.health_path} answered {each.status(FRIDAY)} through it"]
        if servers := behind.get(each.edge):
            words.append(f"it sends users to {_replicas(up(servers, 'friday'), settings.friday.replicas)} of Friday")
            if settings.uses_gateway:
                words.append(f"{_replicas(up(servers, 'litellm'), settings.litellm.replicas)} of the gateway")
        if GATEWAY in each.answers and (models := _models(each)):
            words.append(models)
        deployment.report("checked", f"{each.edge}: {', '.join(words)}")


def left_out(
    behind: Mapping[str, list[EdgeServer] | None], instances: Iterable[Instance], settled_seconds: float = _EDGE_SECONDS
) -> list[str]:
    """Return each healthy replica that an edge sends no user to, with the reason; `behind` is what the edges say.

    One that is younger than `settled_seconds` is not looked at: an edge may not have asked it yet.
    """
    asked = [each for each in instances if each.healthy and each.part in BACKENDS]
    settled = [each for each in asked if each.age_seconds > settled_seconds]
    return [
        f"{edge}: leaves {each.name} out, which {why}"
        for edge, servers in behind.items()
        for each in settled
        if servers is not None and (why := _why(each, servers))
    ]


def _why(instance: Instance, servers: Iterable[EdgeServer]) -> str:
    known = [each for each in servers if each.part == instance.part and each.address in instance.addresses]
    if not known:
        return "it does not find by its name"
    return "" if any(each.gets_requests for each in known) else known[0].words


def warn(deployment: Deployment, hosts: Mapping[str, DockerHost], seen: Iterable[Seen]) -> None:
    """Report what will keep users from Friday though all is healthy now: replicas that an edge leaves out, a limit."""
    stack, friday = deployment.name, deployment.settings.friday
    instances = deployment.hosts.manager.instances(stack)
    found = look_until(
        lambda: left_out(edge_servers(hosts, stack), instances, 0),
        lambda lines: not lines,
        _CHECKS_SECONDS,
        _EDGE_EVERY,
    )
    limits = {limited.warning(friday.health_path, each.answers.get(FRIDAY, ()), check_ms(friday)) for each in seen} - {
        ""
    }
    for words in (*found, *limits):
        deployment.report("warning", words)


def still_serving(deployment: Deployment) -> str:
    """Return what the edges say about Friday right now, for somebody whose update has failed.

    That users go on being served is said only where each edge that was asked sends them to a replica.
    """
    try:
        hosts = deployment.hosts.answering(lambda _: None)
        behind = edge_servers(hosts, deployment.name)
    except OperationError as error:
        return f"whether users are served is not known: {error.message}"
    if not behind:
        return "no edge runs: no user is served"
    return "\n".join(f"{edge}: {_served(servers)}" for edge, servers in behind.items())


def _served(servers: list[EdgeServer] | None) -> str:
    if servers is None:
        return "it does not say whether users are served"
    if serving := up(servers, "friday"):
        return f"it goes on serving users, with {serving} {'replica' if serving == 1 else 'replicas'} of Friday"
    if last := [each for each in servers if each.part == "friday" and each.is_last_resort]:
        return f"it has no healthy replica of Friday, and sends users to one that {last[0].words}"
    return "it has no replica of Friday: no user is served there"


def _replicas(count: int, declared: int) -> str:
    return f"{count} of {declared} replica{'' if declared == 1 else 's'}"


def _models(seen: Seen) -> str:
    """Return how many models could answer now, by the gateway's own word; "" where it says nothing of them."""
    try:
        body = json.loads(seen.answers[GATEWAY][-1])
        healthy, unhealthy = int(body["healthy_count"]), int(body["unhealthy_count"])
    except (ValueError, KeyError, TypeError, IndexError):
        return ""
    return f"{healthy} of {healthy + unhealthy} models can answer"


def _question(port: int, path: str, headers: Mapping[str, str]) -> str:
    """Return an edge's port and the request that goes there."""
    lines = ["Host: friday", *(f"{name}: {value}" for name, value in headers.items()), ""]
    return f"{port} GET {path} HTTP/1.0\r\n" + "".join(f"{line}\r\n" for line in lines)


def _ask(stack: str, hosts: Mapping[str, DockerHost], questions: Mapping[str, str]) -> list[Seen]:
    """Return what each edge was answered; `questions` (`_question`) are by what is reached so."""
    said = run_everywhere(hosts, stack, ["bash", "-c", _ASK_EDGE, "ask", *questions.values()])
    return [Seen(name, dict(_lines(questions, printed))) for name, printed in said.items()]


def _lines(questions: Mapping[str, str], printed: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    # Less is printed by one that stops in between.
    for what, line in zip_longest(questions, printed.splitlines()[: len(questions)]):
        yield what, tuple(line.split("\t")) if line else ()


def _unserved(seen: list[Seen], asked: Mapping[str, str]) -> Iterator[str]:
    """Yield what was not answered as it should be."""
    for each in seen:
        for what in asked:
            if (status := each.status(what)) != "200":
                yield f"{each.edge}: {what}: {status}, should be 200"
