"""What a host lets through by ssh: counted over the connection that is open, with no login for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from components.settings.hosts import SshSettings
from ops.hosts import ssh_limits
from ops.hosts.ssh_limits import SESSIONS, SshLimits, measure

HOST = "ssh://root@h.example"
UFW = "-A ufw-user-input -p tcp -m tcp --dport {} -m conntrack --ctstate NEW -m recent --update --hitcount 6"
HASHLIMIT = "-A INPUT -p tcp -m tcp --dport 22 -m hashlimit --hashlimit-above 6/min --hashlimit-name x -j DROP"
# Gives so many sessions as there are names in a folder, and as the real one logs in by itself when there is none left.
SSH = """#!/bin/sh
case " $* " in *" -M "*) echo x >> '{folder}/logins'; exit 0;; esac
case " $* " in *iptables-save*) cat '{folder}/rules'; exit 0;; esac
for each in '{folder}'/sessions/*; do rmdir "$each" 2>/dev/null && {{ echo; exec cat; }}; done
case " $* " in *" ProxyCommand=false "*) exit 255;; esac
echo x >> '{folder}/logins'; echo; exec cat
"""


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "ssh").write_text(SSH.format(folder=tmp_path))
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    yield tmp_path


def give(far: Path, sessions: int, rules: str) -> None:
    for number in range(sessions):
        (far / "sessions" / str(number)).mkdir(parents=True)
    (far / "rules").write_text(rules)


@pytest.mark.parametrize(("given", "found"), [(1, 1), (SESSIONS - 1, SESSIONS - 1), (SESSIONS + 4, SESSIONS)])
def test_sessions_are_counted_and_nobody_logs_in_for_one_that_is_refused(far: Path, given: int, found: int) -> None:
    give(far, given, "22 0\n")
    assert measure(HOST, SshSettings()) == SshLimits(found, counted=False)
    assert (far / "logins").read_text().split() == ["x"]


@pytest.mark.parametrize(
    ("rules", "counted"),
    [
        (f"22 0\n{UFW.format(22)} -j ufw-user-limit\n", True),
        (f"22 0\n{UFW.format(2222)} -j ufw-user-limit\n", False),
        (f"2222 0\n{UFW.format(2222)} -j ufw-user-limit\n", True),
        (f"22 0\n{HASHLIMIT}\n", True),
        ("22 0\n\t\ttcp dport 22 ct state new limit rate over 6/minute drop\n", True),
        ("22 0\n\t\ttcp dport { 22, 80 } ct count over 4 reject\n", True),
        ("22 0\n\t\ttcp dport 22 accept\n\t\ticmp type echo-request limit rate 1/second accept\n", False),
        ("22 1000\n", None),
        ("", None),
    ],
)
def test_a_rule_that_counts_connections_to_sshds_port_is_found(far: Path, rules: str, counted: bool | None) -> None:
    give(far, SESSIONS, rules)
    assert measure(HOST, SshSettings()).counted is counted


def test_a_host_that_never_says_a_word_is_not_waited_for(far: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_limits, "_SECONDS", 0.5)
    (far / "ssh").write_text('#!/bin/sh\ncase " $* " in *" -M "*) exit 0;; esac\nexec sleep 60\n')
    assert measure(HOST, SshSettings()) == SshLimits(0, counted=None)
