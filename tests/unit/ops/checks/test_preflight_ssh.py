"""The verdict over how a host limits ssh."""

import pytest

from ops.checks.preflight.judge import ALL, BEFORE_UPDATE, judge
from ops.checks.report import Check, State
from ops.hosts.ssh_limits import SESSIONS, SshLimits
from tests.unit.ops.preflight import FIRST, failed, one


def check(found: SshLimits) -> Check:
    (made,) = [each for each in judge(one(ssh=found), ALL) if each.name == "ssh limits"]
    return made


@pytest.mark.parametrize(
    ("counted", "words"),
    [(True, "its firewall counts new"), (False, "its firewall counts no new"), (None, "only root sees")],
)
def test_a_connection_that_carries_an_update_passes_whatever_the_firewall_counts(
    counted: bool | None, words: str
) -> None:
    made = check(SshLimits(SESSIONS, counted))
    assert made.state is State.OK
    assert words in made.found


def test_too_few_sessions_warn_with_how_the_limit_is_lifted() -> None:
    made = check(SshLimits(1, counted=False))
    assert made.state is State.WARNING
    assert made.found.startswith(f"{FIRST}: one ssh connection takes 1 more sessions at once")
    reload = "ssh -t ssh://root@one.example systemctl reload ssh"
    assert made.fix == f"set MaxSessions 10 or more in its /etc/ssh/sshd_config, then {reload}"
    assert failed(one(ssh=SshLimits(0, counted=None))) == []


def test_where_the_firewall_counts_too_the_fix_lifts_both() -> None:
    assert check(SshLimits(1, counted=True)).fix.endswith("ufw insert 1 allow from ADDRESS to any port ssh")


def test_a_host_that_is_reached_otherwise_or_before_an_update_is_not_judged() -> None:
    assert "ssh limits" not in {each.name for each in judge(one(), ALL)}
    assert "ssh limits" not in {each.name for each in judge(one(ssh=SshLimits(0, counted=None)), BEFORE_UPDATE)}
