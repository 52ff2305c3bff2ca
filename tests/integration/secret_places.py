"""Everywhere that a secret of a stack could have got to, as bytes to search: each place with its name."""

import gzip
import json
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from io import BufferedReader
from typing import IO, cast

from testing.project import Project

Place = tuple[str, bytes]

_FILES = "find /etc/friday -type f -exec cat {} + 2>/dev/null; true"  # what has the ports has none
_PROCESSES = "for p in /proc/[0-9]*; do cat $p/cmdline $p/environ; done 2>/dev/null; true"
_COMMANDS = (
    *(("status",), ("status", "--json")),
    *(("history", "--last", "100"), ("history", "--last", "100", "--json")),
    *(("preflight",), ("preflight", "--json")),
    *(("verify", "--json"), ("drift", "--json"), ("logs", "--tail", "1000")),
)
_BLOCK = 1 << 22
_OVERLAP = 256
"""Longer than any secret: what stands across two blocks is found too."""


def hits(secrets: Mapping[str, str], places: Iterator[Place]) -> set[tuple[str, str]]:
    """Return the places where a secret stands, each with the secret's name and never its value."""
    wanted = {name: value.encode() for name, value in secrets.items()}
    return {(place, name) for place, content in places for name, value in wanted.items() if value in content}


def files_of_containers(stack: Project) -> Iterator[Place]:
    """Yield where secrets belong: the files below /etc/friday of each replica."""
    for each in stack.containers():
        yield str(each.labels["friday-litellm.part"]), stack.shell_in(each, _FILES).encode()


def processes(stack: Project) -> Iterator[Place]:
    """Yield arguments and environment of every process of each replica."""
    for each in stack.containers():
        yield f"processes of {each.name}", stack.shell_in(each, _PROCESSES).encode()


def engine(stack: Project) -> Iterator[Place]:
    """Yield what the engine says to who may ask it: containers with their logs, networks, volumes, images."""
    for container in stack.everything():
        yield f"docker inspect {container.name}", json.dumps(container.attrs).encode()
        yield f"docker logs {container.name}", container.logs()
    for network in stack.networks():
        yield f"docker inspect {network.name}", json.dumps(network.attrs).encode()
    for volume in stack.volumes():
        yield f"docker inspect {volume.name}", json.dumps(volume.attrs).encode()
    for name in _images(stack):
        image = stack.engine.images.get(name)
        yield f"docker inspect and history of {name}", json.dumps([image.attrs, image.history()]).encode()


def pulumi(stack: Project) -> Iterator[Place]:
    """Yield the state with its history, backups and locks, the stack file, and what Pulumi's own commands show."""
    state = stack.root / ".state"
    kept = {state / "secrets.json", state / "passphrase"}  # whose file is private to the user
    for path in (stack.file, *sorted(state.rglob("*"))):
        if path.is_file() and path not in kept:
            yield str(path.relative_to(stack.root)), path.read_bytes()
    for command in (("stack", "export"), ("stack", "history", "--json"), ("config", "--json"), ("stack", "output")):
        yield f"pulumi {' '.join(command)}", stack.pulumi(*command, "-s", stack.stack).text.encode()


def commands(stack: Project) -> Iterator[Place]:
    """Yield what the commands print."""
    for verb, *options in _COMMANDS:
        ran = stack.fridayctl(verb, stack.stack, *options)
        yield f"fridayctl {' '.join((verb, *options))}", ran.text.encode()


def layers(stack: Project) -> Iterator[Place]:
    """Yield all that is in the layers of the stack's images, lower ones too, block by block."""
    saving = subprocess.Popen(["docker", "save", *_images(stack)], stdout=subprocess.PIPE)
    with saving, tarfile.open(fileobj=cast(IO[bytes], saving.stdout), mode="r|") as archive:
        for member in archive:
            if file := archive.extractfile(member):
                yield from _blocks(f"images: {member.name}", cast(BufferedReader, file))
    assert saving.returncode == 0


def _blocks(place: str, file: BufferedReader) -> Iterator[Place]:
    # The store of containerd keeps layers compressed.
    plain = gzip.GzipFile(fileobj=file) if file.peek(2)[:2] == b"\x1f\x8b" else file
    tail = b""
    for block in iter(lambda: plain.read(_BLOCK), b""):
        yield place, tail + block
        tail = block[-_OVERLAP:]


def _images(stack: Project) -> list[str]:
    return sorted({str(each.attrs["Image"]) for each in stack.containers()})
