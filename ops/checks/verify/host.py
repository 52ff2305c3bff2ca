"""Checks of a host as a whole: its clock and disk, the ports that the edge publishes, the services of its Swarm."""

import datetime as dt
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx

from components.certificate import Certificate
from components.edge import certificate_of
from components.part import address
from components.settings.parts import EdgeSettings
from components.settings.stack import StackSettings
from components.swarm_service import declared_digest, seen_digest
from components.workload import Workload
from ops.checks.report import Check, compared
from ops.hosts.docker_host import STACK_LABEL
from ops.hosts.machine import MOST_SECONDS_APART, seconds_apart
from ops.hosts.testinfra_host import TestHost

# A new version of every image is about half of it, and is unpacked beside the old.
LEAST_FREE_GB = 2.0
_CHAT = b'{"model": "any", "messages": []}'
# Each is one of LiteLLM's or of a part's own, and none of a user's business.
_NOT_REACHED = "this port is for the host itself, and over tcp:// it is not reached"
_CLOSED_AT_GATEWAY = (
    "GET /",
    "GET /ui/",
    "GET /docs",
    "GET /openapi.json",
    "GET /metrics",
    "GET /model/info",
    "GET /config/yaml",
    "GET /openrouter/v1/key",
    "GET /key/info",
    "POST /key/generate",
    "POST /config/update",
    "POST /v1/responses",
    "POST /v1/embeddings",
)


def machine(place: TestHost) -> list[Check]:
    """Ask the daemon for its time and where it keeps its data, and the host for the room there."""
    before = time.time()
    info: Mapping[str, Any] = place.docker_json("info", "--format", "{{json .}}")
    after = time.time()
    return [_clock(str(info["SystemTime"]), before, after), _disk(place, str(info["DockerRootDir"]))]


def _clock(reported: str, before: float, after: float) -> Check:
    apart = abs(seconds_apart(reported, before, after))
    problem = f"it is {apart:.1f} s from this machine's; let chrony or systemd-timesyncd keep both"
    name = f"clock in step (within {MOST_SECONDS_APART:g} s)"
    return compared("host", name, (problem,) if apart > MOST_SECONDS_APART else ())


def _disk(place: TestHost, folder: str) -> Check:
    name = f"{LEAST_FREE_GB:g} GB free where Docker keeps its data"
    if not place.runs_commands:
        return compared("host", name, skipped="over tcp:// only the daemon is reached")
    code, text = place.run("df", "-Pk", folder)
    if code:
        return compared("host", name, skipped=text)
    free = int(text.splitlines()[-1].split()[3]) * 1024 / 1e9
    problem = f"{folder} has {free:.1f} GB; docker system df shows what can go"
    return compared("host", name, (problem,) if free < LEAST_FREE_GB else ())


def ports(place: TestHost, stack: str, settings: StackSettings) -> list[Check]:
    """Ask the ports of the edge: what is open answers, all else is closed. No request gets as far as a model."""
    edge = settings.edge
    gateway = {"GET /health": 200, "POST /chat/completions": 401, **dict.fromkeys(_CLOSED_AT_GATEWAY, 404)}
    if not settings.litellm.replicas:
        gateway = dict.fromkeys(_CLOSED_AT_GATEWAY, 404)
    return [
        *_users_ports(place, stack, settings),
        _asked(place, "127.0.0.1", edge.gateway_port, "only chat is open, and only with the key", gateway),
    ]


def _users_ports(place: TestHost, stack: str, settings: StackSettings) -> Iterator[Check]:
    edge, health = settings.edge, f"GET {settings.friday.health_path}"
    answers, own = {health: 200, "GET /metrics": 404}, settings.friday.probe_headers
    what = "users reach Friday and not its metrics"
    certificate = certificate_of(stack, settings)
    if edge.proxy_protocol:
        yield compared("edge", f"port {edge.port}: {what}", skipped="it is for proxies that speak the PROXY protocol")
    elif certificate is None:
        yield _asked(place, edge.bind_address, edge.port, what, answers, own=own)
    else:
        yield _asked(
            place, edge.bind_address, edge.port, "users are sent to HTTPS", dict.fromkeys(answers, 308), own=own
        )
        yield _asked(place, edge.bind_address, edge.tls.port, what, answers, "https", own)
        yield _certified(place, edge, certificate)


def _certified(place: TestHost, edge: EdgeSettings, declared: Certificate) -> Check:
    """Compare the certificate that users see with the one in the file, and with the date."""
    left = declared.days_left(dt.datetime.now(dt.UTC))
    name = f"port {edge.tls.port}: shows the certificate of edge.tls ({max(left, 0)} days are left)"
    with place.client(edge.bind_address, edge.tls.port, "https") as client:
        if client is None:
            return compared("edge", name, skipped=_NOT_REACHED)
        try:
            with client.stream("HEAD", "/") as response:
                shown = response.extensions["network_stream"].get_extra_info("ssl_object").getpeercert(True)
        except httpx.HTTPError as error:
            return compared("edge", name, (f"no answer ({error or type(error).__name__})",))
    problems = [] if shown == declared.der() else ["another certificate is shown: the edge has not taken this one yet"]
    if left < 0:
        problems.append(f"it ended on {declared.ends:%Y-%m-%d}")
    return compared("edge", name, problems)


def _asked(
    place: TestHost,
    bound: str,
    port: int,
    what: str,
    expected: Mapping[str, int],
    scheme: str = "http",
    own: Mapping[str, str] | None = None,
) -> Check:
    """Ask for each answer that is expected; `own` headers go with every request."""
    name = f"port {port}: {what}"
    with place.client(bound, port, scheme) as client:
        if client is None:
            return compared("edge", name, skipped=_NOT_REACHED)
        return compared("edge", name, _problems(client, expected, own or {}))


def _problems(client: httpx.Client, expected: Mapping[str, int], own: Mapping[str, str]) -> Iterator[str]:
    for request, status in expected.items():
        method, path = request.split()
        content = _CHAT if method == "POST" else None
        headers = {**own, "content-type": "application/json"} if content else own
        try:
            found = client.request(method, path, content=content, headers=headers).status_code
        except httpx.HTTPError as error:
            yield f"{request}: no answer ({error or type(error).__name__})"
            continue
        if found != status:
            yield f"{request}: answered with {found}, should be {status}"


def services(place: TestHost, stack: str, workloads: Sequence[Workload], strangers: int = 0) -> list[Check]:
    """Ask a manager for the stack's services: all there, in the declared number, and none rolled back.

    Of what runs on every host, so many nodes that are `strangers` need have none.
    """
    ours = f"label={STACK_LABEL}={stack}"
    lines = place.docker("service", "ls", "--format", "{{.Name}} {{.Replicas}}", "--filter", ours)
    running = dict(line.split()[:2] for line in lines.splitlines())
    wanted = {address(stack, "swarm", each.alias or each.part): each for each in workloads}
    made = [_service(place, stack, name, workload, running, strangers) for name, workload in wanted.items()]
    orphans = (f"{name} is not declared" for name in sorted(running.keys() - wanted.keys()))
    return [*made, compared("swarm", "no other service carries the stack's label", orphans)]


def _service(
    place: TestHost, stack: str, name: str, workload: Workload, running: Mapping[str, str], strangers: int
) -> Check:
    title = "service runs in the declared number, and its last update held"
    if name not in running:
        return compared(workload.part, title, (f"service {name} is missing",))
    inspected = place.docker_json("service", "inspect", "--format", "{{json .}}", name)
    problems = [*_number(name, workload, running[name], strangers), *_update(stack, name, workload, inspected)]
    return compared(workload.part, title, problems)


def _number(name: str, workload: Workload, running: str, strangers: int) -> Iterator[str]:
    there, wanted = map(int, running.split("/"))
    if there < wanted - (strangers if workload.on_every_host else 0):
        yield f"{name}: {there} of {wanted} run"
    if not workload.on_every_host and wanted != workload.replicas:
        yield f"{name}: is set to {wanted} replicas, declared is {workload.replicas}"


def _update(stack: str, name: str, workload: Workload, inspected: Mapping[str, Any]) -> Iterator[str]:
    status = inspected.get("UpdateStatus") or {}
    state = status.get("State", "completed")
    if state == "completed":
        return
    # Back to what is declared: whoever declared the other form has taken it back since.
    if state != "rollback_completed" or seen_digest(inspected["Spec"]) != declared_digest(stack, workload):
        yield f"{name}: its last update is {state.replace('_', ' ')}: {status.get('Message', '')}"
