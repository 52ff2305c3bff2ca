"""How a host limits ssh: the sessions that one connection takes, and firewall rules that count new connections.

All of it is asked through the connection that is open already. A try of several new ones could lock the operator out.
"""

import re
import shlex
import subprocess
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from components.settings.hosts import SshSettings
from ops.hosts import ssh as way
from ops.hosts import ssh_master

SESSIONS = 6
"""More sessions at once than an update's own: what Pulumi's plugin uses beside them (ops/stacks/workspace.py)."""

_SECONDS = 10.0
# The port is the one that the host itself sees: an address may be forwarded. Who is not root gets no rules.
_RULES = 'set -- $SSH_CONNECTION; echo "$4 $(id -u)"; iptables-save; nft -n list ruleset; true'
# ufw's `limit` and fail2ban's kin: `recent` and `hashlimit` of iptables, `limit rate` and `ct count` of nft.
_COUNTING = re.compile(r"--hitcount|--hashlimit|limit rate|ct count|meter ")


@dataclass(frozen=True)
class SshLimits:
    """What a host lets through: how many more `sessions` one connection takes at once, up to SESSIONS.

    `counted` is whether its firewall counts new connections, None where only root sees that.
    """

    sessions: int
    counted: bool | None


def measure(address: str, ssh: SshSettings) -> SshLimits:
    """Return the limits of a host; OperationError (exit code 2) when it is not reached. Nobody logs in for it."""
    line = ssh_master.shared(address, ssh, ["sh", "-c", shlex.quote(_RULES)])
    said = way.ask(line, _SECONDS)
    return SshLimits(_spare_sessions(address, ssh), None if said.returncode else _counts(said.stdout))


def _spare_sessions(address: str, ssh: SshSettings) -> int:
    """Open sessions beside those that are there, and end them at once; return how many were given."""
    # Where the connection takes no more, ssh would log in by itself: that is what must not happen here.
    alone = ["-o", "ProxyCommand=false"]
    line = way.command(address, ssh, ["echo && exec cat"], *ssh_master.options(address, ssh), *alone)
    with ExitStack() as ends:
        holders = [ends.enter_context(_held_open(line)) for _ in range(SESSIONS)]
        # A host that runs nothing but what it was told to (ForceCommand) may never say a word.
        late = threading.Timer(_SECONDS, _end, [holders])
        late.start()
        ends.callback(late.cancel)
        return sum(each.stdout is not None and each.stdout.read(1) == b"\n" for each in holders)


def _held_open(line: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )


def _end(holders: Sequence[subprocess.Popen[bytes]]) -> None:
    for each in holders:
        each.kill()


def _counts(said: str) -> bool | None:
    """Return whether a rule for sshd's port counts; the first line has that port, and who asked."""
    head, _, rules = said.partition("\n")
    port, _, user = head.partition(" ")
    if user.strip() != "0" or not port:
        return None
    about_ssh = re.compile(rf"\bdports? [^-]*?\b(?:{re.escape(port)}|ssh)\b")
    return any(about_ssh.search(rule) and _COUNTING.search(rule) for rule in rules.splitlines())
