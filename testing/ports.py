"""Ports for what a test starts later."""

import random
import socket
from pathlib import Path

_LOWEST = 10_000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_ports(count: int) -> list[int]:
    """Return ports of this machine that nothing listens on now.

    They are below those that the kernel gives to outgoing connections (ip(7), ip_local_port_range): one of these
    may be taken in the seconds before a test's own server listens.
    """
    highest = int(_EPHEMERAL.read_text().split()[0]) - 1
    taken: list[socket.socket] = []
    try:
        while len(taken) < count:
            each = socket.socket()
            taken.append(each)
            try:
                each.bind(("127.0.0.1", random.randint(_LOWEST, highest)))  # noqa: S311 - no secret
            except OSError:
                taken.pop().close()
        return [int(each.getsockname()[1]) for each in taken]
    finally:
        for each in taken:
            each.close()
