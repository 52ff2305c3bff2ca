"""A compose project: its services with `extends` and variables resolved, and each service's environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.compose.document import Map, load, wrong
from ops.compose.env_file import read_env_file
from ops.compose.interpolation import InterpolationError, Variables
from ops.compose.shape import check_document, check_service

_OVERRIDES = ("compose.override.yml", "compose.override.yaml", "docker-compose.override.yml")
# What an extending service never takes over (compose specification, "extends").
_NOT_EXTENDED = {"depends_on", "links", "volumes_from", "network_mode", "profiles"}


@dataclass(frozen=True)
class Service:
    """One service as compose would run it; `environment` has every value, `without_value` names that have none."""

    name: str
    body: Map
    environment: dict[str, str]
    without_value: tuple[str, ...] = ()

    def where(self, key: str = "") -> str:
        """Return file and line of one of its keys."""
        return self.body.where(key)


@dataclass
class Project:
    """A compose file with the values of its variables."""

    path: Path
    document: Map
    values: dict[str, str]
    env_file: Path | None

    @classmethod
    def read(cls, path: Path, env_file: Path | None, shell: Mapping[str, str]) -> "Project":
        """Read a compose file, and the .env file beside it where none is named; OperationError (exit code 2)."""
        document = load(path)
        check_document(document)
        beside = path.parent / ".env"
        env_file = env_file or (beside if beside.is_file() else None)
        values = read_env_file(env_file, shell) if env_file else {}
        return cls(path, document, {**values, **shell}, env_file)

    @property
    def name(self) -> str:
        """Return the project's name, which begins the names of its networks and volumes."""
        given = self.values.get("COMPOSE_PROJECT_NAME") or self._text(self.document, "name")
        raw = given or self.path.resolve().parent.name
        return re.sub(r"[^a-z0-9_-]", "", raw.lower()).lstrip("_-")

    @property
    def not_read(self) -> list[str]:
        """Return what compose reads besides this file and nobody has read here."""
        beside = [name for name in _OVERRIDES if (self.path.parent / name).is_file() and name != self.path.name]
        return [*beside, *(["include"] if "include" in self.document else [])]

    def raw(self, name: str) -> Map:
        """Return a service before its variables are resolved, with what it extends."""
        return self._extended(self.document["services"], self.document, name, ())

    def service(self, name: str) -> Service:
        """Return a service as compose would run it; OperationError (exit code 2) names what cannot be resolved."""
        raw = self.raw(name)
        body = self._known(raw, f"services.{name}")
        environment, without = self._environment(body)
        return Service(name, body, environment, tuple(without))

    def top(self, kind: str, name: str) -> dict[str, Any]:
        """Return a top-level network, volume or secret; an empty map where the file says no more of it."""
        group = self.document.get(kind)
        found = group.get(name) if isinstance(group, Map) else None
        return self._known(found, f"{kind}.{name}") if isinstance(found, Map) else {}

    def full_name(self, kind: str, name: str) -> str:
        """Return the name that a network or volume of the file has in the engine."""
        found = self.top(kind, name)
        external = found.get("external")
        if isinstance(external, dict) and external.get("name"):
            return str(external["name"])
        return str(found.get("name") or (name if external is True else f"{self.name}_{name}"))

    def _known(self, raw: Map, what: str) -> Map:
        """Return a map with the values of its variables; OperationError names those that have none."""
        variables = Variables(self.values)
        made: Map = self._resolved(raw, variables)
        if variables.unknown:
            names = sorted(variables.unknown)
            file = self.env_file.name if self.env_file else "an .env file, named as second argument"
            fix = f"add {names[0]}=… to {file} (compose itself would take nothing for it: {names[0]}= says so)"
            raise wrong(_first_use(raw, names[0]), f"{what}: no value is given for {', '.join(names)}", fix)
        return made

    def _resolved(self, value: Any, variables: Variables) -> Any:
        """Return a part of the file with its variables' values; keys stay as they are."""
        if isinstance(value, Map):
            made = Map(value.file)
            made.lines = value.lines
            for key, item in value.items():
                try:
                    made[key] = self._resolved(item, variables)
                except InterpolationError as error:
                    raise wrong(value.where(key), f"{key} {error}", "correct it, or give the value") from error
            return made
        if isinstance(value, list):
            return [self._resolved(item, variables) for item in value]
        return variables.expand(value) if isinstance(value, str) else value

    def _text(self, holder: Map, key: str) -> str:
        value = holder.get(key)
        return Variables(self.values).expand(value) if isinstance(value, str) else ""

    def _extended(self, services: Any, document: Map, name: str, chain: tuple[tuple[str, str], ...]) -> Map:
        body = services.get(name) if isinstance(services, Map) else None
        if not isinstance(body, Map):
            where = services.where(name) if isinstance(services, Map) else document.file.name
            raise wrong(where, f"services.{name} should be a map", "give image, ports and environment of the service")
        check_service(name, body)
        extends = body.get("extends")
        if not extends:
            return body
        step = (document.file.name, name)
        if step in chain:
            raise wrong(body.where("extends"), f"{name} extends itself", "take one `extends` away")
        file, base = (extends.get("file"), extends.get("service")) if isinstance(extends, Map) else (None, extends)
        other = load(document.file.parent / str(file)) if file else document
        inherited = self._extended(other["services"], other, str(base), (*chain, step))
        return _merged(_with_env_files_of(other.file.parent, inherited) if file else inherited, body)

    def _environment(self, body: Map) -> tuple[dict[str, str], list[str]]:
        """Return what a service's env_file and environment set, and names of neither with a value anywhere."""
        own = pairs(body, "environment")
        # What the files may ask for in ${}: the shell and the .env file first, then what `environment` sets.
        known = {name: value for name, value in own.items() if value is not None} | self.values
        found: dict[str, str] = {}
        for entry in _listed(body.get("env_file")):
            given = entry if isinstance(entry, dict) else {"path": entry}
            path = self.path.parent / str(given.get("path", ""))
            if path.exists() or given.get("required", True) in (True, "true"):
                found |= read_env_file(path, known, raw=given.get("format") == "raw")
        without = []
        for name, value in own.items():
            if value is None and name not in self.values:
                without.append(name)
                found.pop(name, None)
            else:
                found[name] = self.values[name] if value is None else value
        return found, without


def pairs(body: Map, key: str) -> dict[str, str | None]:
    """Return a map, or a list of NAME=value, as a map; None for a name without value."""
    value = body.get(key)
    if isinstance(value, dict):
        return {name: None if item is None else scalar(item) for name, item in value.items()}
    split = (entry.partition("=") for entry in _listed(value))
    return {name.strip(): text if sign else None for name, sign, text in split}


def scalar(value: str | float) -> str:
    """Return a text, number or boolean as compose hands it on."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _merged(base: Map, own: Map) -> Map:
    """Return a service that extends another: maps are merged, lists joined, other values replaced."""
    made = Map(own.file)
    made.lines = {**base.lines, **own.lines}
    for key in {**base, **own}:
        if key in _NOT_EXTENDED and key not in own:
            continue
        below, above = base.get(key), own.get(key)
        if key == "environment" and key in own and key in base:
            made[key] = _as_map(base, key)
            made[key].update(_as_map(own, key))
            made[key].lines.update(_as_map(own, key).lines)
        elif isinstance(below, Map) and isinstance(above, Map):
            made[key] = _merged(below, above)
        elif isinstance(below, list) and isinstance(above, list) and key not in ("command", "entrypoint", "test"):
            made[key] = [*below, *(item for item in above if item not in below)]
        else:
            made[key] = above if key in own else below
    made.pop("extends", None)
    return made


def _with_env_files_of(folder: Path, body: Map) -> Map:
    """Return a service of another file with its .env files named from everywhere: they stand beside that file."""
    if not body.get("env_file"):
        return body
    made = Map(body.file)
    made.update(body)
    made.lines = body.lines
    made["env_file"] = [
        {**entry, "path": str(folder / str(entry.get("path")))} if isinstance(entry, dict) else str(folder / str(entry))
        for entry in _listed(body["env_file"])
    ]
    return made


def _as_map(body: Map, key: str) -> Map:
    """Return a map, or a list of NAME=value, as a map whose keys all stand where the group stands."""
    made = Map(body.file)
    made.update(pairs(body, key))
    made.lines = dict.fromkeys(made, body.lines.get(key, 0))
    return made


def _first_use(value: Any, name: str, where: str = "") -> str:
    """Return where a variable is asked for, or the nearest thing that is known."""
    if isinstance(value, Map):
        places = (_first_use(item, name, value.where(key)) for key, item in value.items())
        return next((place for place in places if place), "")
    if isinstance(value, list):
        return next((place for item in value if (place := _first_use(item, name, where))), "")
    return where if isinstance(value, str) and re.search(rf"\$\{{?{name}\b", value) else ""
