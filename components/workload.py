"""Workload: one declaration of a part that runs, whichever engine runs it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field, replace

from components.probes import HealthProbe
from components.settings.container import USUAL_TMPFS_MB

FILES_DIR = "/etc/friday"
APP_NETWORK = "app"
GATEWAY_NETWORK = "gateway"
USUAL_SHARES = 1024
FIRST_SHARES = 4096
"""A container's weight while its host's processors are busy: Docker's own value, and that of what every user meets."""


@dataclass(frozen=True)
class File:
    """A file put into the container when it is created; `secret` content is encrypted in Pulumi's state.

    `source` is where the content stands in the project, relative to its root, which is where Pulumi runs. Then neither
    state nor plugin carry the content around: its digest in the resource's name tells of a change.
    """

    content: str
    secret: bool = False
    source: str = ""


@dataclass(frozen=True)
class Port:
    """A container port published on the host: `address` is the host interface it is bound to."""

    host: int
    container: int
    address: str = "127.0.0.1"


@dataclass(frozen=True)
class Workload:
    """One part of the stack.

    `files` are paths below /etc/friday; `memory_mb` is the hard limit in MiB; `stop_grace_seconds` is the
    time between SIGTERM and SIGKILL. A workload that is `replaced_by_overlap` owns no host port: its next
    version is created, proved healthy and only then the previous one drained and removed. One that is
    `on_every_host` runs once on each host of a Swarm, so that every host's address answers. `data` is a folder that
    outlives the container, for one writer: no replicas, no overlap. It stays on one host; in a Swarm the constraint
    `placement` says on which. `cpu_shares` weighs it against other containers while a host's processors are busy
    (USUAL_SHARES or FIRST_SHARES); a Swarm has no such weight. One that is `drained_at_edge` need not drain by itself:
    the edge sends it nothing more, and waits for what runs, before it is stopped. One that
    `rereads_files` looks at them while it runs, so that other content replaces no container; in a Swarm it does, for
    content cannot be changed there.

    Beside /tmp, which every container has, it may write to `tmpfs` (folder: MiB, in memory) and to `volumes` (the name
    of each by its folder), which the replicas on a host share and which stay when the workload names them no longer.
    One with `volumes_of` takes those of another part, which declares them.
    `outer_networks` are the host's own, which it joins too. `stop_signal` is the image's own when it is "".

    `front` has its host ports, and stays while versions of it overlap. `image_stays`: another image
    does not replace it, unless something else does. `earlier` is what an earlier version of this project declared in
    its place: where that runs it stays.
    """

    part: str
    image: str
    command: tuple[str, ...]
    networks: tuple[str, ...]
    probe: HealthProbe
    memory_mb: int
    user: str
    alias: str = ""
    replicas: int = 1
    env: Mapping[str, str] = field(default_factory=dict)
    secret_env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, File] = field(default_factory=dict)
    ports: tuple[Port, ...] = ()
    stop_grace_seconds: int = 10
    read_only: bool = True
    replaced_by_overlap: bool = False
    on_every_host: bool = False
    data: str = ""
    placement: str = ""
    cpu_shares: int = USUAL_SHARES
    tmpfs: Mapping[str, int] = field(default_factory=dict)
    volumes: Mapping[str, str] = field(default_factory=dict)
    volumes_of: str = ""
    outer_networks: tuple[str, ...] = ()
    stop_signal: str = ""
    drained_at_edge: bool = False
    rereads_files: bool = False
    image_stays: bool = False
    front: "Workload | None" = None
    earlier: "Workload | None" = None

    def with_front(self) -> "tuple[Workload, ...]":
        """Return all that it runs as: what has its ports, if something else does, and itself."""
        return (self.front, self) if self.front else (self,)

    def volume_name(self, stack: str, suffix: str) -> str:
        """Return the whole name of one of `volumes`."""
        return f"friday-{stack}-{self.volumes_of or self.part}-{suffix}"

    def tmpfs_options(self) -> dict[str, str]:
        """Return what is in memory, /tmp included, with the options of its mount by its folder.

        runc 1.1 gives a folder that the image lacks the mode 755 from its second start on, so it has to be its user's
        (findings/docker-tmpfs-loses-its-mode-at-a-restart.sh). A user by name is one that only the image knows.
        """
        sizes = {"/tmp": USUAL_TMPFS_MB, **self.tmpfs}  # noqa: S108 - the container's own
        options = {path: f"rw,noexec,nosuid,size={size}m,mode=1777" for path, size in sizes.items()}
        user, _, group = self.user.partition(":")
        if user.isdecimal():
            owner = f",uid={user}" + (f",gid={group}" if group.isdecimal() else "")
            options |= {path: options[path] + owner for path in self.tmpfs}
        return options

    def files_digest(self) -> str:
        """Return 8 hex digits that change with the image or with any file."""
        contents = {path: [file.content, file.source] for path, file in self.files.items()}
        return _digest([self.image, contents])

    def digest(self) -> str:
        """Return 8 hex digits that change whenever anything that the container runs with changes.

        What a workload does not use is left out: a new field must not replace the containers that stand.
        """
        further = {
            "tmpfs": dict(self.tmpfs),
            "volumes": dict(self.volumes),
            "volumes_of": self.volumes_of,
            "outer_networks": self.outer_networks,
            "stop_signal": self.stop_signal,
        }
        seen = {
            "image": self.image,
            "command": self.command,
            "networks": self.networks,
            "alias": self.alias,
            "probe": self.probe.docker_test(),
            "timing": self.probe.timing(),
            "memory": self.memory_mb,
            "cpu_shares": self.cpu_shares,
            "user": self.user,
            "env": dict(self.env),
            "secret_env": dict(self.secret_env),
            # What looks at its files while it runs need not be replaced for them.
            "files": "" if self.rereads_files else self.files_digest(),
            "grace": self.stop_grace_seconds,
            "read_only": self.read_only,
            **{name: value for name, value in further.items() if value},
        }
        return _digest(seen)

    def form(self) -> str:
        """Return 8 hex digits that change whenever anything but the image does, ports included."""
        return _digest([replace(self, image="").digest(), [astuple(port) for port in self.ports]])

    def instance_names(self) -> list[str]:
        """Return one name a replica; with overlap it carries the digest, so a change is a new resource."""
        suffix = f"-{self.digest()}" if self.replaced_by_overlap else ""
        return [f"{self.part}-{number}{suffix}" for number in range(1, self.replicas + 1)]


def _digest(seen: object) -> str:
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()[:8]


def data_volume_name(stack: str, part: str) -> str:
    """Return the whole name of the volume that a part's `data` are in."""
    return f"friday-{stack}-{part}-data"
