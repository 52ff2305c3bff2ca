"""The verdict over how a host limits ssh: whether one connection carries an update."""

from collections.abc import Iterator

from ops.checks.preflight.by_hand import there
from ops.checks.preflight.facts import Facts, HostFacts
from ops.checks.report import Check, State
from ops.hosts.ssh_limits import SESSIONS

_NAME = "ssh limits"
_COUNTED = {
    True: "its firewall counts new connections",
    False: "its firewall counts no new connections",
    None: "whether its firewall counts new connections only root sees",
}


def ssh_limits(facts: Facts, address: str, host: HostFacts) -> Iterator[Check]:
    """Yield one check of a host that is reached by ssh and was asked: too few sessions warn."""
    found = host.ssh
    if found is None:
        return
    if found.sessions >= SESSIONS:
        text = f"one connection takes {SESSIONS} more sessions at once; {_COUNTED[found.counted]}"
        yield Check(_NAME, address, State.OK, text)
        return
    text = (
        f"{address}: one ssh connection takes {found.sessions} more sessions at once, and an update uses {SESSIONS}: "
        f"each further one is a login; {_COUNTED[found.counted]}"
    )
    reload = there(facts, address, "systemctl reload ssh", sudo=True)
    fix = f"set MaxSessions 10 or more in its /etc/ssh/sshd_config, then {reload}"
    lift = "; or let its firewall not count this machine: ufw insert 1 allow from ADDRESS to any port ssh"
    yield Check(_NAME, address, State.WARNING, text, f"{fix}{lift if found.counted else ''}")
