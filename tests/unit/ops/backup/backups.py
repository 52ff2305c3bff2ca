"""Backups for tests."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

from ops.backup import archive
from ops.backup.archive import Writer
from ops.backup.manifest import PASSPHRASE as PASSPHRASE_MEMBER
from ops.backup.manifest import Manifest, SavedData, SavedFile, SavedStack

PASSPHRASE = "four words that do not belong together"
WHEN = dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)
FILES = {
    PASSPHRASE_MEMBER: b"a passphrase of Pulumi's",
    "stacks/t/settings.yaml": b"config: {}\n",
    "stacks/t/state.json": b'{"version": 3}',
    "stacks/t/history/t-1.history.json": b"{}",
    "stacks/t/data/prometheus/wal/00000001": bytes(range(256)) * 1000,
    "stacks/t/data/prometheus/empty": b"",
}


def manifest_of(files: Mapping[str, SavedFile]) -> Manifest:
    """Return the manifest of a backup of the stack t."""
    data = SavedData(part="prometheus", host="unix:///var/run/docker.sock", owner=(10001, 10001))
    stack = SavedStack(name="t", updates=1, last_update=WHEN, data=(data,))
    return Manifest(made_at=WHEN, made_on="laptop", commit="", pulumi="3.1.0", stacks=(stack,), files=dict(files))


def written(target: Path, files: Mapping[str, bytes] | None = None) -> Path:
    """Write a backup of the stack t."""

    def fill(writer: Writer) -> Manifest:
        for name, content in (FILES if files is None else files).items():
            writer.add(name, content)
        return manifest_of(writer.files)

    archive.write(target, PASSPHRASE, fill)
    return target
