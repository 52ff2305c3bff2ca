"""Every property that the program sets is one of the published Docker package's, and of our own build of its plugin."""

import json
import keyword
import re
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi
import pulumi_docker as docker
import pytest

from components.settings.stack import StackSettings
from components.stack import FridayStack
from components.surroundings import Surroundings
from tests.unit.declared import IMAGES, Declared, record
from tests.unit.given import LOCAL, settings
from toolchain.paths import GO_SOURCES

# The package is generated from the published schema: its classes are what that says.
PUBLISHED: dict[str, type] = {
    "pulumi:providers:docker": docker.ProviderArgs,
    "docker:index/container:Container": docker.ContainerArgs,
    "docker:index/network:Network": docker.NetworkArgs,
    "docker:index/remoteImage:RemoteImage": docker.RemoteImageArgs,
    "docker:index/secret:Secret": docker.SecretArgs,
    "docker:index/service:Service": docker.ServiceArgs,
    "docker:index/serviceConfig:ServiceConfig": docker.ServiceConfigArgs,
    "docker:index/volume:Volume": docker.VolumeArgs,
}
RECORDED = GO_SOURCES / "docker-provider" / "testdata" / "properties.json"
SWARM = {"engine": "swarm", "dockerHost": "ssh://root@a", "swarmHosts": ["ssh://root@b"]}
OWN = {
    "friday": {
        **LOCAL["friday"],
        "image": "registry.example/friday:1",
        "writable": [{"path": "/logs", "kind": "tmpfs"}, {"path": "/uploads", "kind": "volume"}],
        "networks": ["database"],
        "stopSignal": "SIGINT",
    }
}
FILES = ("caFile", "certFile", "keyFile")
_SECRET_MARK = "4dabf18193072939515e22adb298388d"


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> list[Declared]:
    """Return what each kind of stack declares."""
    folder = tmp_path_factory.mktemp("tls")
    for name in FILES:
        (folder / name).write_text("x")
    tls = {"dockerHost": "tcp://a:2376", "tls": {name: str(folder / name) for name in FILES}}
    found = [each for changes in ({}, SWARM, tls, OWN, {**OWN, **SWARM}) for each in _declared_by(settings(**changes))]
    return [each for each in found if each.kind in PUBLISHED or each.kind.startswith("docker:")]


def _declared_by(chosen: StackSettings) -> list[Declared]:
    return record(lambda: FridayStack("t", chosen, IMAGES, Surroundings(start_interval=True))).resources


def properties(value: Any, published: Any, path: str = "") -> Iterator[tuple[str, bool]]:
    """Yield the path of each property that is set, and whether it is a published one."""
    if isinstance(value, list):
        for each in value:
            yield from properties(each, published, path)
    elif isinstance(value, Mapping) and _SECRET_MARK in value:
        yield from properties(value.get("value"), published, path)
    elif isinstance(value, Mapping) and published is not None:
        for name, inner in value.items():
            hints = _hints(published)
            known = _snake(name)
            here = f"{path}.{name}".removeprefix(".")
            yield here, known in hints
            yield from properties(inner, _structure(hints.get(known)), here)


def _snake(name: str) -> str:
    written = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    return f"{written}_" if keyword.iskeyword(written) else written


def _hints(published: type) -> dict[str, Any]:
    """Return the types of what a class of the package takes."""
    names = {"Output": pulumi.Output, "T": Any}  # what Pulumi's own aliases refer to
    return typing.get_type_hints(published.__init__, localns=names)  # type: ignore[misc]


def _structure(hint: Any) -> type | None:
    """Return the class of the package that a property's type holds, None for a plain value or a map of any keys."""
    if isinstance(hint, type) and hint.__module__ == docker.ContainerHealthcheckArgs.__module__:
        return hint
    return next((found for each in typing.get_args(hint) if (found := _structure(each))), None)


def test_every_property_is_published(declared: list[Declared]) -> None:
    unknown = {
        (each.kind, path)
        for each in declared
        for path, known in properties(each.inputs, PUBLISHED[each.kind])
        if not known
    }
    assert unknown == set()


def test_a_property_that_is_not_published_is_found() -> None:
    inputs = {"name": "x", "healthcheck": {"tests": ["CMD"], "startsInterval": "1s"}, "wait_": True}
    found = dict(properties(inputs, docker.ContainerArgs))
    assert [path for path, known in found.items() if not known] == ["healthcheck.startsInterval", "wait_"]


def test_our_build_is_tested_with_the_same_properties(declared: list[Declared]) -> None:
    """Its own test reads this file; where it differs, put what the assertion shows into it."""
    found: dict[str, set[str]] = {}
    for each in declared:
        paths = found.setdefault(each.kind, set())
        paths.update(path for path, _ in properties(each.inputs, PUBLISHED[each.kind]))
    text = json.dumps({kind: sorted(paths) for kind, paths in sorted(found.items())}, indent=1) + "\n"
    assert text == RECORDED.read_text()
