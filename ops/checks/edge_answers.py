"""Asks every edge, where it runs, whether users get through to Friday and Friday to the gateway. No model is asked."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest

from components.edge import GATEWAY_INTERNAL_PORT, USERS_PORT
from components.settings.stack import StackSettings
from ops.checks.answers import CheckError
from ops.hosts.docker_host import DockerHost
from ops.waiting import look_until

# A new edge asks its replicas first, and a Swarm's hosts tell each other where those are.
_PATIENCE_SECONDS = 15.0
_EVERY_SECONDS = 0.5
_ASK = (
    'for ask; do ( exec 3<>"/dev/tcp/127.0.0.1/${ask%% *}" && '
    'printf "GET %s HTTP/1.0\\r\\nHost: friday\\r\\n\\r\\n" "${ask#* }" >&3 && '
    'read -t 10 -r version status rest <&3 && echo "$status" ) 2>/dev/null || echo "no answer"; done'
)


def require_serving(stack: str, hosts: Mapping[str, DockerHost], settings: StackSettings) -> None:
    """Raise CheckError with the edges that do not lead to Friday, or at more than 0 % to the gateway.

    A healthy container may still be one that nobody finds: so it is on a Swarm's host whose engine does not learn the
    services' names. `hosts` are those that answer, by address; one without an edge sends nobody anywhere.
    """
    questions = _questions(settings)
    wrong = look_until(
        lambda: _unserved(stack, hosts, questions), lambda found: not found, _PATIENCE_SECONDS, _EVERY_SECONDS
    )
    if wrong:
        fix = f"./fridayctl verify {stack} tells what is not found; docs/TROUBLESHOOTING.md, The stack, says why"
        raise CheckError(f"{stack}: an edge does not get through", fix, details="\n".join(wrong))


def _questions(settings: StackSettings) -> dict[str, str]:
    """Return what an edge is asked (port and path), by what is reached so."""
    friday = {"Friday": f"{USERS_PORT} {settings.friday.health_path}"}
    return friday | ({"the gateway": f"{GATEWAY_INTERNAL_PORT} /health"} if settings.effective_percentage else {})


def _unserved(stack: str, hosts: Mapping[str, DockerHost], questions: Mapping[str, str]) -> list[str]:
    command = ["bash", "-c", _ASK, "ask", *questions.values()]
    with ThreadPoolExecutor(max(1, len(hosts))) as pool:
        answers = pool.map(lambda host: host.run_in(stack, "edge", command), hosts.values())
        return [
            f"{container} on {address}: {what}: {status}, should be 200"
            for address, ran in zip(hosts, answers, strict=True)
            for container, printed in ran.items()
            # Less is printed by one that stops in between.
            for what, status in zip_longest(questions, printed.splitlines(), fillvalue="no answer")
            if status != "200"
        ]
