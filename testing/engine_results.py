"""What passed on which engine: each run of tests/engines notes it, and `python -m docs.engines` makes the table."""

import json
from dataclasses import dataclass
from pathlib import Path

from docker import DockerClient

from toolchain import files, paths, versions

_OUR_MODULE = b"friday-litellm/toolchain/docker-provider"
"""Go writes the main module's path into each program that it builds."""

Rows = dict[str, dict[str, bool]]
"""Whether each test passed when it ran last, by the row that it belongs to."""


@dataclass(frozen=True)
class Row:
    """One row of the table: the engine's version and API, its image store, and the Docker plugin."""

    engine: str
    api: str
    store: str
    plugin: str

    @classmethod
    def of(cls, key: str) -> "Row":
        """Return the row that a `key` names; ValueError when it names none."""
        engine, api, store, plugin = key.split(" | ")
        return cls(engine, api, store, plugin)

    @property
    def key(self) -> str:
        """Its name in the file."""
        return " | ".join((self.engine, self.api, self.store, self.plugin))


def path() -> Path:
    """Return the file of this checkout's own runs."""
    return paths.state_dir() / "engine-tests.json"


def read(source: Path) -> Rows:
    """Return the rows of a file, none when it is not there."""
    return dict(json.loads(source.read_text(encoding="utf-8"))) if source.exists() else {}


def write(target: Path, rows: Rows) -> None:
    """Replace a file's rows."""
    text = json.dumps(rows, indent=2, sort_keys=True) + "\n"
    with files.scratch(target.parent) as folder:
        new = folder / target.name
        new.write_text(text, encoding="utf-8")
        files.publish(new, target, 0o644)


def note(engine: DockerClient, test: str, passed: bool) -> None:
    """Note the outcome of one test on an engine."""
    rows = read(path())
    rows.setdefault(_row(engine).key, {})[test] = passed
    write(path(), rows)


def _row(engine: DockerClient) -> Row:
    said = engine.version()
    # The driver of containerd's store has the name of its snapshotter; only it names its type.
    status = dict(engine.info()["DriverStatus"])
    return Row(said["Version"], said["ApiVersion"], "containerd" if "driver-type" in status else "classic", _plugin())


def _plugin() -> str:
    folder = paths.pulumi_home() / "plugins" / f"resource-docker-v{versions.DOCKER_PROVIDER}"
    binary = (folder / "pulumi-resource-docker").read_bytes()
    return f"{'our build of' if _OUR_MODULE in binary else 'official'} {versions.DOCKER_PROVIDER}"
