"""What OpenSSH and the shell of a Docker host print when it is not reached, sorted into errors with a fix."""

import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from components.settings.hosts import SshSettings
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts import ssh as way
from toolchain import machine

_SHOWN_LINES = 6


class _Case(NamedTuple):
    """What a text means: the message goes on after the address; both may use the fields of `_fields`."""

    pattern: str
    message: str
    fix: str


_LEARN = (
    "ssh-keyscan -p {port} {host} > host.keys && ssh-keygen -lf host.keys; is it the fingerprint that the host's own "
    "console shows (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then: cat host.keys >> {known_hosts}"
)
# In this order: the first that fits.
_CASES = (
    _Case(
        r"REMOTE HOST IDENTIFICATION HAS CHANGED|REVOKED HOST KEY",
        "shows another host key than the one in {known_hosts}: a new machine, or somebody in between",
        "only if it was set up anew: ssh-keygen -R '{entry}' -f {known_hosts} && " + _LEARN,
    ),
    _Case(
        r"Host key verification failed|host key is known for",
        "its host key is not in {known_hosts}, and none is trusted on first sight",
        _LEARN,
    ),
    _Case(
        r"(?s)(?:Identity file .* not accessible|no such identity|Load key |bad permissions).*Permission denied \(",
        "the key {key} cannot be used",
        "ls -l {key}; it should be a private key that only you can read (chmod 600 {key}{wsl}); "
        "another one is named by ssh.identityFile in the stack file",
    ),
    _Case(
        r"Permission denied \(|Too many authentication failures",
        "refuses the key of this machine",
        "ssh-copy-id {copy}-p {port} {login} from where you may log in; a key with a passphrase has to be in the agent "
        "(ssh-add {key}); another one is named by ssh.identityFile in the stack file",
    ),
    _Case(
        r"kex_exchange_identification|Exceeded MaxStartups|Not allowed at this time",
        "cannot be reached: its sshd ends the connection before the login",
        "wait a minute: it may have too many logins at once (MaxStartups), or have shut this address out "
        "(PerSourcePenalties, fail2ban); then {ssh} {sudo}journalctl -u ssh -n 50 says which. A forwarded port ends it "
        "too, while what is behind it is down",
    ),
    _Case(
        r"connect to host .*Connection refused",
        "cannot be reached",
        "{ssh} tries it. When it answers half a minute later, its firewall counts connections (ufw limit refuses the "
        "sixth within 30 s): ufw insert 1 allow from ADDRESS to any port ssh there lets this machine in. Else check "
        "that sshd runs and that name, port and firewall are right",
    ),
    _Case(
        r"Could not resolve hostname|connect to host|Connection (?:refused|timed out|closed|reset)|"
        r"banner exchange|not responding|[Cc]onnection .*(?:timed out|closed by)|from master failed",
        "cannot be reached",
        "check that it runs and that name, port and firewall are right; {ssh} tries it",
    ),
    _Case(
        r"docker: (?:command )?not found|docker: No such file|not found: docker|unknown command.*docker",
        "has no docker command",
        "{ssh} {sudo}apt-get install docker.io, or https://docs.docker.com/engine/install",
    ),
    _Case(
        r"permission denied",
        "its Docker socket is not for this user",
        "{ssh} sudo usermod -aG docker {user}",
    ),
    _Case(
        r"Cannot connect to the Docker daemon|dial unix|docker daemon running|daemon is not running|"
        r"Remote end closed connection",
        "its Docker daemon does not answer",
        "{ssh} {sudo}systemctl start docker; {ssh} {sudo}journalctl -u docker -n 50 says why it does not run",
    ),
)
_OTHER = _Case("", "cannot be used over ssh", "{ssh} docker version shows more")


def explain(address: str, ssh: SshSettings, said: str) -> OperationError:
    """Return the error (exit code 2) for what `ssh` wrote to stderr before it ended."""
    case = next((case for case in _CASES if re.search(case.pattern, said)), _OTHER)
    fields = _fields(address, ssh)
    lines = [line.strip() for line in said.splitlines() if line.strip(" @\r")]
    message = f"{address}: {case.message.format(**fields)}"
    details = "\n".join(f"  ssh | {line}" for line in lines[-_SHOWN_LINES:])
    return OperationError(message, case.fix.format(**fields), EXIT_USAGE, details)


def silent(address: str, ssh: SshSettings) -> OperationError:
    """Return the error (exit code 2) for a host that was reached and then said nothing."""
    fix = "{ssh} docker version; when that says nothing either: {ssh} {sudo}systemctl restart docker"
    fields = _fields(address, ssh)
    return OperationError(f"{address}: its Docker daemon does not answer in time", fix.format(**fields), EXIT_USAGE)


def _fields(address: str, ssh: SshSettings) -> dict[str, object]:
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port or 22
    return {
        "host": host,
        "port": port,
        "entry": f"[{host}]:{port}" if port != 22 else host,
        "user": parts.username or "$USER",
        "login": f"{parts.username}@{host}" if parts.username else host,
        "key": ssh.identity_file or "KEY",
        "copy": f"-i {ssh.identity_file} " if ssh.identity_file else "",
        "known_hosts": ssh.known_hosts_file or Path("~/.ssh/known_hosts"),
        "ssh": way.by_hand(address, ssh),
        "wsl": "; a Windows drive keeps no modes: have it below your home" if machine.is_wsl() else "",
        "sudo": "" if way.is_root(address) else "sudo ",
    }
