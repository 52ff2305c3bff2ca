"""What the container of a compose service is made of: image, command, user, folders, memory, stop and health."""

import re
import shlex
from typing import Any

from ops.compose.document import wrong
from ops.compose.healthcheck import http_check, seconds, start_seconds
from ops.compose.placement import Placement
from ops.compose.project import Project, Service, scalar

_BYTES = re.compile(r"(\d+(?:\.\d+)?)\s*([bkmgt]?)i?b?", re.IGNORECASE)
_POWER = {"": 0, "b": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_SIGNAL = re.compile(r"(?:SIG)?([A-Z]{3,5}[12]?)")
_MIB = 1 << 20
_USUAL_MEMORY_MB = 1024
"""For a compose file without a limit: a Node app of Friday's size takes 180 to 260 MiB and more while it builds."""


def place_container(placement: Placement, project: Project) -> None:
    """Place what makes the container."""
    _image(placement, project)
    _command(placement)
    _user(placement)
    _replicas_and_memory(placement)
    _folders(placement, project)
    _stop(placement)
    _health(placement)


def _image(placement: Placement, project: Project) -> None:
    service = placement.service
    image, built = service.body.get("image"), service.body.get("build")
    if not image and not built:
        raise wrong(service.where(), f"services.{service.name} has neither image nor build", "name its image")
    name = str(image or f"{project.name}-{service.name}")
    placement.friday["image"] = name if re.search(r"[:@][^/]*$", name) else f"{name}:latest"
    if built:
        why = "the stack builds nothing" + ("" if image else "; compose names what it builds so")
        fix = f"docker compose build {service.name}, push it to a registry, and give friday.image the name with digest"
        placement.leave("build", f"{why}: {placement.friday['image']}", fix)


def _command(placement: Placement) -> None:
    body = placement.service.body
    program, command = words(placement.service, "entrypoint"), words(placement.service, "command")
    if program or command:
        placement.set("command", [*program, *command], "entrypoint" if program else "command")
    if command and body.get("entrypoint") is None:
        why = "friday.command stands in for it too, and compose runs it before the command, if the image has one"
        fix = "docker image inspect shows it: name it first in friday.command"
        placement.leave("the image's ENTRYPOINT", why, fix, key="command")


def _user(placement: Placement) -> None:
    if (user := placement.service.body.get("user")) is not None:
        placement.set("user", scalar(user), "user")
    else:
        why = "no user is named, so compose takes the image's, and the stack takes `node` of Node's images, 1000:1000"
        fix = "see that it may write where the app writes (docs/YOUR_FRIDAY.md), or give friday.user"
        placement.leave("user", why, fix)


def _replicas_and_memory(placement: Placement) -> None:
    body = placement.service.body
    deploy = _map(body.get("deploy"))
    limits = _map(_map(deploy.get("resources")).get("limits"))
    replicas = deploy.get("replicas", body.get("scale"))
    if replicas is not None:
        placement.set("replicas", _number(replicas), "deploy" if "replicas" in deploy else "scale")
    memory = limits.get("memory", body.get("mem_limit"))
    size = mib(memory) if memory is not None else _USUAL_MEMORY_MB
    if size is None:
        placement.leave("mem_limit", "it is no size such as 512m", "give friday.memoryMb")
    placement.friday["memoryMb"] = size or _USUAL_MEMORY_MB
    for key in [key for key in ("cpus", "cpu_quota") if key in body] + (["deploy"] if "cpus" in limits else []):
        why, fix = "the stack shares the processor's time and limits none", "nothing, or a host with more"
        placement.leave(f"{key} (processor time)", why, fix, key=key)


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> Any:
    text = str(value)
    return int(text) if text.isdigit() else text


def mib(value: Any) -> int | None:
    """Return a size of compose (`512m`, `1.5G`, bytes) in MiB, at least 1; None when it is none."""
    found = _BYTES.fullmatch(str(value).strip())
    if not found:
        return None
    size: float = float(found[1]) * 1024 ** _POWER[found[2].lower()]
    return max(1, round(size / _MIB))


def words(service: Service, key: str) -> list[str]:
    """Return a command as a list; as a text it is split as a shell would, and no shell runs it (the specification)."""
    value = service.body.get(key)
    if isinstance(value, list):
        return [scalar(word) for word in value]
    try:
        return shlex.split(scalar(value)) if value else []
    except ValueError as error:
        raise wrong(service.where(key), f"{key} has a quote without its end", "add it") from error


def _folders(placement: Placement, project: Project) -> None:
    """Place named volumes and folders in memory, and name files of the host."""
    writable: list[dict[str, Any]] = []
    body = placement.service.body
    for entry in body.get("volumes") or ():
        mount = _mount(entry)
        source, target = str(mount.get("source") or ""), str(mount.get("target") or "")
        match mount.get("type"):
            case "tmpfs":
                writable.append(_memory(target, _map(mount.get("tmpfs")).get("size")))
            case "volume" if source and not mount.get("read_only"):
                writable.append({"path": target.rstrip("/"), "kind": "volume"})
                volume = project.full_name("volumes", source)
                why = f"{target} gets a volume of the stack, which begins with what the image has there"
                fix = f"copy what is in compose's volume {volume} while Friday is stopped (docs/YOUR_FRIDAY.md)"
                placement.leave(f"volumes {source}", why, fix, key="volumes")
            case "volume" if not source:
                why = "a volume without a name is new with each container"
                fix = f"where the app writes to {target}, add it to friday.writable; else nothing"
                placement.leave(f"volumes {target}", why, fix, key="volumes")
            case kind:
                why = "files of one host are not mounted" if kind == "bind" else "nobody could write to it"
                fix = f"put what {target} holds into the image; where the app writes there, add it to friday.writable"
                placement.leave(f"volumes {source}:{target}", why, fix, key="volumes")
    given = body.get("tmpfs") or ()
    for text in [given] if isinstance(given, str) else given:
        path, _, options = str(text).partition(":")
        sizes = [option.removeprefix("size=") for option in options.split(",") if option.startswith("size=")]
        writable.append(_memory(path, sizes[0] if sizes else None))
    # /tmp is in memory in every container of the stack.
    if kept := [each for each in writable if each["path"] != "/tmp"]:  # noqa: S108 - the container's own
        placement.set("writable", kept, "volumes" if "volumes" in body else "tmpfs")


def _memory(path: str, size: Any) -> dict[str, Any]:
    limit = mib(size) if size is not None else None
    return {"path": path.rstrip("/"), "kind": "tmpfs", **({"sizeMb": limit} if limit else {})}


def _mount(entry: Any) -> dict[str, Any]:
    """Return a volume entry in its long form; in the short form a path is a bind mount, a name a volume."""
    if isinstance(entry, dict):
        return entry
    first, *rest = (
        re.split(r":(?![\\/])", str(entry)) if re.match(r"^[A-Za-z]:\\", str(entry)) else str(entry).split(":")
    )
    if not rest:
        return {"type": "volume", "target": first}
    kind = "bind" if first[:1] in "./~" else "volume"
    return {"type": kind, "source": first, "target": rest[0], "read_only": "ro" in ",".join(rest[1:]).split(",")}


def _stop(placement: Placement) -> None:
    body = placement.service.body
    if signal := body.get("stop_signal"):
        name = str(signal)
        known = _SIGNAL.fullmatch(name.upper())
        placement.set("stopSignal", f"SIG{known[1]}" if known else name, "stop_signal")
    if (grace := body.get("stop_grace_period")) is not None:
        found = seconds(grace)
        placement.set("stopGraceSeconds", grace if found is None else max(1, round(found)), "stop_grace_period")


def _health(placement: Placement) -> None:
    service = placement.service
    check = _map(service.body.get("healthcheck"))
    names = {service.name, str(service.body.get("container_name", "")), str(service.body.get("hostname", ""))}
    found = http_check(check.get("test"), names) if not check.get("disable") else "it is switched off"
    if isinstance(found, str):
        placement.friday["healthPath"] = "/"
        why = found if "test" in check or check.get("disable") else "the service has none that asks by HTTP"
        fix = "friday.healthPath is now /: give a path that answers 200 when Friday is well"
        placement.leave("healthcheck", why, fix)
    else:
        placement.set("healthPath", found.path, "healthcheck")
        headers = {name: value for name, value in found.headers.items() if name.lower() != "host"}
        if headers != found.headers:
            placement.leave(
                "the health check's Host", "probe and edge send their own", "let the path answer any", key="healthcheck"
            )
        if headers:
            placement.set("probeHeaders", headers, "healthcheck")
    if (start := start_seconds(check)) is not None:
        placement.friday["startSeconds"] = start
