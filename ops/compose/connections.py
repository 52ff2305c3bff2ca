"""How a compose service is reached and whom it reaches: published ports, networks, and other services' calls."""

import re
from dataclasses import dataclass
from typing import Any

from components.friday_environment import PORT
from ops.compose.document import Map
from ops.compose.placement import Placement
from ops.compose.project import Project, scalar

_PORT = re.compile(
    r"(?:(?:(?P<ip>\[[0-9a-fA-F:]+\]|[0-9.]+):)?(?P<host>[0-9]*)(?:-(?P<host_end>[0-9]+))?:)?"
    r"(?P<target>[0-9]+)(?:-(?P<end>[0-9]+))?(?:/(?P<protocol>\w+))?"
)
_PROXY_LABELS = ("traefik.", "caddy", "com.github.nginx-proxy", "nginx.", "haproxy.")


@dataclass(frozen=True)
class Published:
    """One published port: the container's `target`, the host's address and port, and its text in the file."""

    target: int
    host: int | None
    address: str
    text: str


def place_connections(placement: Placement, project: Project) -> None:
    """Place the port that users reach, and the networks that Friday shares with others."""
    _port(placement)
    _networks(placement, project)
    _callers(placement, project)
    _labels(placement)


def _port(placement: Placement) -> None:
    service = placement.service
    wanted = service.environment.get("PORT", str(PORT))
    found: list[Published] = []
    for entry in service.body.get("ports") or ():
        port = _published(entry, service.body)
        if isinstance(port, str):
            placement.leave(
                f"ports {port}", "the edge serves one TCP port", "publish it where it is needed", key="ports"
            )
        else:
            found.append(port)
    users = next((port for port in found if str(port.target) == wanted), found[0] if found else None)
    if users is None:
        fix = "give edge.port and edge.bindAddress; a proxy of another container is to ask there"
        placement.leave("ports", "no port is published, and users reach the edge by one: 127.0.0.1:3000", fix)
        return
    if users.host is None:
        fix = "give edge.port"
        placement.leave(f"ports {users.text}", "the engine chooses the host's port", fix, key="ports")
    else:
        placement.edge["port"] = users.host
    placement.edge["bindAddress"] = users.address
    if users.target != PORT and str(users.target) != service.environment.get("PORT"):
        why = f"the app listens on {users.target}, and the stack asks it on {PORT}, which it says in PORT"
        placement.leave(f"ports {users.text}", why, "let the app listen on the port that PORT names", key="ports")
    for port in found:
        if port is not users:
            why, fix = "the edge serves one port of Friday", "serve it from another container, or by another path"
            placement.leave(f"ports {port.text}", why, fix, key="ports")


def _published(entry: Any, body: Map) -> Published | str:
    """Return a port that is published, or its text when the edge could not serve it."""
    if isinstance(entry, dict):
        target, host = str(entry.get("target", "")), str(entry.get("published", "") or "")
        address = str(entry.get("host_ip") or "")
        text = f"{host}:{target}" if host else target
        if not target.isdigit() or not (host.isdigit() or not host) or entry.get("protocol", "tcp") != "tcp":
            return text
        return Published(int(target), int(host) if host else None, address or "0.0.0.0", text)  # noqa: S104 - compose's
    text = scalar(entry)
    found = _PORT.fullmatch(text)
    if not found or found["end"] or found["host_end"] or (found["protocol"] or "tcp") != "tcp" or "[" in text:
        return text
    on_host = int(found["host"]) if found["host"] else None
    return Published(int(found["target"]), on_host, found["ip"] or "0.0.0.0", text)  # noqa: S104 - where compose publishes


def _networks(placement: Placement, project: Project) -> None:
    body = placement.service.body
    if mode := body.get("network_mode"):
        fix = "reach databases and the like by a network that both join: friday.networks"
        placement.leave("network_mode", f"Friday has networks of its own ({mode} was asked for)", fix)
        return
    others = [project.raw(name) for name in project.document["services"] if name != placement.service.name]
    joined = {name for other in others if "network_mode" not in other for name in _names(other)}
    external = [name for name in _names(body) if project.top("networks", name).get("external")]
    names = [project.full_name("networks", name) for name in _names(body) if name in joined or name in external]
    if names:
        placement.friday["networks"] = names
    given = body.get("networks")
    for name, options in given.items() if isinstance(given, dict) else ():
        for key in ("aliases", "ipv4_address", "ipv6_address", "mac_address"):
            if isinstance(options, dict) and key in options:
                fix = "let who calls it ask the edge's address and port"
                placement.leave(
                    f"networks {name}.{key}", "replicas come and go under other addresses", fix, key="networks"
                )


def _names(body: Map) -> list[str]:
    given = body.get("networks")
    return list(given) if isinstance(given, dict | list) and given else ["default"]


def _callers(placement: Placement, project: Project) -> None:
    """Name the other services that call Friday by its name, which it does not have on their networks any more."""
    own = {placement.service.name, str(placement.service.body.get("container_name") or placement.service.name)}
    called = re.compile(rf"//(?:[^/@\s]*@)?(?:{'|'.join(map(re.escape, sorted(own)))})(?=[:/\s'\"]|$)")
    for name in project.document["services"]:
        other = project.raw(name)
        if name != placement.service.name and any(called.search(text) for text in _texts(other)):
            why = f"it calls {placement.service.name} by its name, which only compose's container has"
            fix = "point it at the edge's address and port: edge.bindAddress, edge.port"
            placement.leave(f"service {name}", why, fix, where=project.document["services"].where(name))


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []


def _labels(placement: Placement) -> None:
    labels = placement.service.body.get("labels")
    names = labels if isinstance(labels, list) else list(labels or ())
    if any(str(name).startswith(_PROXY_LABELS) for name in names):
        fix = "give the proxy a route to the edge's address and port (a file provider, an upstream)"
        placement.leave("labels", "a proxy finds its containers by them, and Friday's containers have none", fix)
