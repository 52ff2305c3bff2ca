"""How an operator does on a host, by hand, what a check asks for."""

from ops.checks.preflight.facts import Facts
from ops.hosts import ssh
from toolchain import docker_endpoint


def there(facts: Facts, address: str, command: str, *, sudo: bool = False) -> str:
    """Return how an operator runs a command on a host."""
    line = f"sudo {command}" if sudo and not ssh.is_root(address) else command
    if address.startswith("ssh://"):
        return ssh.by_hand(address, facts.settings.ssh, line)
    if address.startswith("unix://") and address != docker_endpoint.DEFAULT:
        line = line.replace("docker ", f"docker -H {address} ", 1) if line.startswith("docker ") else line
    return line if address.startswith("unix://") else f"on {address}: {line}"
