"""Redis's configuration as a cache: nothing on disk, a memory bound, a password that no process list shows."""

import re

_PASSWORD = re.compile(r"[A-Za-z0-9._~+/=-]{16,512}")
_SMALLEST_MB = 8


def render(password: str, max_memory_mb: int) -> str:
    """Return redis.conf; `max_memory_mb` bounds the data, in MiB, the oldest keys go when it is full.

    Raises ValueError for a password that Redis's file format could read as something else, and for less
    than 8 MiB, where Redis would evict what it has just stored.
    """
    if not _PASSWORD.fullmatch(password):
        raise ValueError("redis password: should be 16 to 512 letters, digits or any of . _ ~ + / = -")
    if max_memory_mb < _SMALLEST_MB:
        raise ValueError(f"redis max_memory_mb: should be at least {_SMALLEST_MB} (got {max_memory_mb})")
    lines = [
        "bind * -::*",
        "port 6379",
        "protected-mode yes",
        f"requirepass {password}",
        # Cooldowns, counters and cached answers: all of it may be lost, none of it is worth a disk write.
        'save ""',
        "appendonly no",
        "dir /tmp",
        f"maxmemory {max_memory_mb}mb",
        "maxmemory-policy allkeys-lru",
        "tcp-keepalive 60",
        "timeout 0",
        "maxclients 512",
        # What an intruder with the password would reach for; the gateway uses none of it.
        *(f'rename-command {name} ""' for name in ("DEBUG", "MODULE", "REPLICAOF", "SLAVEOF", "MIGRATE")),
        "loglevel notice",
        'logfile ""',
    ]
    return "\n".join(lines) + "\n"
