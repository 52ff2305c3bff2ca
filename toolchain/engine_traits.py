"""How a Docker engine runs containers and keeps images, read off its `/info`, and what of it is in a stack's way."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CGROUP_V1_END = "May 2029"
"""Until then Docker supports cgroup v1 (moby/moby#51111; engine 29 says so in its own warnings)."""

COMPRESSED_AND_UNPACKED = 2.2
"""What an image takes in a containerd image store, as a multiple of its unpacked size (2.18 seen with engine 29)."""

_CONTAINERD_STORE = "io.containerd.snapshotter.v1"
_OF_THE_MACHINE = ("/run/containerd/containerd.sock", "/var/run/containerd/containerd.sock")
_NEEDED = {"MemoryLimit": "limit memory", "CPUShares": "weigh processor time"}
_FIX_ROOTLESS = (
    "let its host use cgroup v2 and delegate memory and cpu to the engine's user "
    "(https://docs.docker.com/engine/security/rootless/tips), or use an engine that root runs"
)
_FIX_KERNEL = "boot its host with cgroup_enable=memory on the kernel's command line; docker info shows what lacks"
_LOOK_CGROUP = "stat -fc %T /sys/fs/cgroup then prints cgroup2fs"
_FIX_NFTABLES = "start dockerd with --firewall-backend=iptables"
_NO_SWARM = ", or deploy to one host with engine: container"


@dataclass(frozen=True)
class Traits:
    """What `/info` says of an engine.

    `id` is the same whichever way the engine is reached. `cgroup` is "1", "2", or "" where the engine does not say.
    `lacks` is what it cannot do for a container that a stack asks for. `firewall` is the back-end, "" before API 1.49.
    `folder` is the engine's own, with logs and volumes. With `containerd_store` images are kept packed and unpacked,
    and with `machines_containerd` in the folder of a containerd that other programs use too.
    """

    id: str = ""
    cgroup: str = ""
    rootless: bool = False
    lacks: tuple[str, ...] = ()
    firewall: str = ""
    folder: str = ""
    containerd_store: bool = False
    machines_containerd: bool = False

    @property
    def shown(self) -> str:
        """Return it in a few words."""
        words = [
            f"cgroup v{self.cgroup}" if self.cgroup else "",
            "rootless" if self.rootless else "",
            f"{self.firewall} back-end" if self.firewall else "",
            "containerd image store" if self.containerd_store else "classic image store",
        ]
        return ", ".join(filter(None, words))

    def room(self, unpacked: float) -> int:
        """Return the bytes that images of so many unpacked bytes take here."""
        return int(unpacked * COMPRESSED_AND_UNPACKED) if self.containerd_store else int(unpacked)

    def problem(self, *, swarm: bool) -> tuple[str, str] | None:
        """Return what would stop a stack on one engine, or in a Swarm, and its fix; None when nothing does."""
        if self.lacks:
            cgroup = f" on cgroup v{self.cgroup}" if self.cgroup else ""
            kind, fix = ("is rootless and cannot", _FIX_ROOTLESS) if self.rootless else ("cannot", _FIX_KERNEL)
            return f"the Docker engine {kind} {' and '.join(self.lacks)}{cgroup}", fix
        if swarm and self.rootless:
            fix = f"use an engine that root runs{_NO_SWARM}"
            return "the Docker engine is rootless, where a Swarm's networks are not supported", fix
        if swarm and self.firewall == "nftables":
            return "the Docker engine uses nftables, and has no Swarm with it", f"{_FIX_NFTABLES}{_NO_SWARM}"
        return None

    @property
    def cgroup_warning(self) -> tuple[str, str] | None:
        """Return what will stand in the way later, and its fix; None when nothing does."""
        if self.cgroup != "1":
            return None
        fix = "boot its host with systemd.unified_cgroup_hierarchy=1, or upgrade it; " + _LOOK_CGROUP
        return f"its host uses cgroup v1, which Docker supports until {CGROUP_V1_END}", fix


def read(info: Mapping[str, Any]) -> Traits:
    """Return the traits in an answer to `GET /info`; what an older engine does not say is taken for the usual."""
    status = dict(pair for pair in info.get("DriverStatus") or () if len(pair) == 2)
    in_containerd = status.get("driver-type") == _CONTAINERD_STORE
    containerd = info.get("Containerd") or {}
    return Traits(
        id=str(info.get("ID", "")),
        cgroup=str(info.get("CgroupVersion", "")),
        rootless="name=rootless" in (info.get("SecurityOptions") or ()),
        lacks=tuple(words for key, words in _NEEDED.items() if info.get(key) is False),
        firewall=str((info.get("FirewallBackend") or {}).get("Driver", "")),
        folder=str(info.get("DockerRootDir", "")),
        containerd_store=in_containerd,
        # Engines before 27 keep its address to themselves; what distributions ship uses the machine's.
        machines_containerd=in_containerd and containerd.get("Address", _OF_THE_MACHINE[0]) in _OF_THE_MACHINE,
    )
