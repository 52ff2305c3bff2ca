"""What real engines answered to `GET /info` and `GET /version`, cut down to what is read; paths are shortened.

Engine 29 is API 1.56, built from its Go modules: as root, with --firewall-backend=nftables, and without root on a host
with cgroup v1. Podman is Debian 12's 4.3.1.
"""

from typing import Any

_CONTAINERD: dict[str, Any] = {
    "Driver": "overlayfs",
    "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
}
_LIMITS = {"MemoryLimit": True, "SwapLimit": True, "CPUShares": True, "PidsLimit": True}

ENGINE_20: dict[str, Any] = {
    "ID": "KNJF:DVFZ:MEK5:IFZV:54BJ:GRYU:H3CP:YNZW:YRFF:6LMZ:XJ2K:LION",
    "Driver": "overlay2",
    "DriverStatus": [
        ["Backing Filesystem", "extfs"],
        ["Supports d_type", "true"],
        ["Native Overlay Diff", "true"],
        ["userxattr", "false"],
    ],
    **_LIMITS,
    "CgroupDriver": "cgroupfs",
    "CgroupVersion": "1",
    "DockerRootDir": "/var/lib/docker",
    "SecurityOptions": ["name=seccomp,profile=default"],
    "Warnings": None,
}
ENGINE_29: dict[str, Any] = {
    "ID": "0cf6c316-d130-43b0-aecf-1c27f9a37be1",
    **_CONTAINERD,
    **_LIMITS,
    "CgroupDriver": "cgroupfs",
    "CgroupVersion": "1",
    "DockerRootDir": "/srv/data",
    "SecurityOptions": ["name=seccomp,profile=builtin"],
    "FirewallBackend": {"Driver": "iptables", "Info": [["EnableUserlandProxy", "true"]]},
    "Containerd": {
        "Address": "/srv/run/containerd/containerd.sock",
        "Namespaces": {"Containers": "moby", "Plugins": "plugins.moby"},
    },
    "Warnings": [
        "WARNING: Support for cgroup v1 is deprecated and planned to be removed by no later than May 2029 "
        "(https://github.com/moby/moby/issues/51111)"
    ],
}
NFTABLES: dict[str, Any] = {
    **ENGINE_29,
    "ID": "f6c68345-b4b5-4952-a372-3035d6898370",
    "FirewallBackend": {"Driver": "nftables", "Info": [["EnableUserlandProxy", "true"]]},
}
ROOTLESS: dict[str, Any] = {
    "ID": "bd640bd9-8d7c-4216-83b4-d7eb72c11c46",
    **_CONTAINERD,
    **dict.fromkeys(_LIMITS, False),
    "CgroupDriver": "none",
    "CgroupVersion": "1",
    "DockerRootDir": "/home/u/.local/share/docker",
    "SecurityOptions": ["name=seccomp,profile=builtin", "name=rootless"],
    "FirewallBackend": {"Driver": "iptables", "Info": [["EnableUserlandProxy", "true"]]},
    "Containerd": {
        "Address": "/run/user/1000/docker/containerd/containerd.sock",
        "Namespaces": {"Containers": "moby", "Plugins": "plugins.moby"},
    },
    "Warnings": [
        "WARNING: Running in rootless-mode without cgroups. To enable cgroups in rootless-mode, you need to boot the "
        "system in cgroup v2 mode."
    ],
}
PODMAN: dict[str, Any] = {
    "Platform": {"Name": "linux/amd64/debian-12"},
    "Components": [
        {
            "Name": "Podman Engine",
            "Version": "4.3.1",
            "Details": {"APIVersion": "4.3.1", "Arch": "amd64", "MinAPIVersion": "4.0.0", "Os": "linux"},
        }
    ],
    "Version": "4.3.1",
    "ApiVersion": "1.41",
    "MinAPIVersion": "1.24",
    "Os": "linux",
    "Arch": "amd64",
}
