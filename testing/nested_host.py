"""A real second Docker host: a container with an sshd and a dockerd of its own."""

import shlex
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import docker
from docker import DockerClient

from components.settings.hosts import SshSettings
from ops.hosts.ssh import command as over_ssh
from testing.meanwhile import until

_BOOT_SECONDS = 120
_EMPTY = """
docker swarm leave --force
docker ps --all --quiet | xargs --no-run-if-empty docker rm --force --volumes
docker network ls --quiet --filter type=custom | xargs --no-run-if-empty docker network rm
docker volume ls --quiet | xargs --no-run-if-empty docker volume rm --force
"""


class NestedHost:
    """One host of a rig.

    It has an address of its own on this machine's loopback, where its sshd and the rig's `port` answer, and `ip`
    on the rig's network. `run` and `engine` reach it past ssh: they work while ssh is cut.
    """

    def __init__(self, name: str, address: str, ssh_port: int, ip: str, folder: Path) -> None:
        self.name = name
        self.address = address
        self.ssh_port = ssh_port
        self.ip = ip
        self.socket = folder / name / "docker.sock"
        self._folder = folder

    @property
    def url(self) -> str:
        """Its address as a stack file has it."""
        return f"ssh://root@{self.address}:{self.ssh_port}"

    @property
    def ssh_settings(self) -> dict[str, str]:
        """The setting `ssh` that reaches it."""
        return {
            "identityFile": str(self._folder / "key"),
            "knownHostsFile": str(self._folder / "known_hosts"),
        }

    @cached_property
    def engine(self) -> DockerClient:
        """Its Docker engine."""
        return docker.DockerClient(base_url=f"unix://{self.socket}")

    def run(self, *command: str) -> str:
        """Run a command on it and return what it prints."""
        return _checked(["docker", "exec", self.name, *command])

    def ssh(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command on it by ssh, as a user who reaches it by its settings."""
        settings = SshSettings.model_validate(self.ssh_settings)
        line = over_ssh(self.url, settings, [shlex.join(command)])
        return subprocess.run(line, capture_output=True, text=True, check=False, timeout=_BOOT_SECONDS)

    def load(self, images: Sequence[str]) -> None:
        """Copy images of this machine to it."""
        with subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE) as saving:
            load = ["docker", "--host", f"unix://{self.socket}", "load", "--quiet"]
            subprocess.run(load, stdin=saving.stdout, check=True, capture_output=True)
        assert saving.returncode == 0, f"docker save {images} ended with {saving.returncode}"

    def wait(self) -> None:
        """Wait until its engine answers over ssh; AssertionError with what it says when it does not."""

        def said() -> str:
            return f"{self.name} is up: {self.ssh('docker', 'info').stderr}\n{self._log()}"

        until(lambda: self.ssh("docker", "info").returncode == 0, said, _BOOT_SECONDS)

    def _log(self) -> str:
        return _checked(["docker", "logs", "--tail", "20", self.name])

    def trust(self) -> None:
        """Write its host key to the rig's known hosts, as read on it and not as told by the network."""
        until(self._host_key, lambda: f"{self.name} has a host key\n{self._log()}", _BOOT_SECONDS, every=0.1)
        with (self._folder / "known_hosts").open("a") as file:
            file.write(f"[{self.address}]:{self.ssh_port} {self._host_key()}\n")

    def _host_key(self) -> str:
        read = ["docker", "exec", self.name, "cat", "/etc/ssh/ssh_host_ed25519_key.pub"]
        return subprocess.run(read, capture_output=True, text=True, check=False).stdout.strip()

    def reboot(self) -> None:
        """Restart it in order and wait until it is back."""
        _checked(["docker", "restart", "--time", "30", self.name])
        self.wait()

    def kill(self) -> None:
        """Take its power away."""
        _checked(["docker", "kill", self.name])

    def boot(self) -> None:
        """Start it, as after a kill, and wait until it is up."""
        _checked(["docker", "start", self.name])
        self.wait()

    def kill_engine(self) -> None:
        """End its dockerd with no chance to tidy up; it is started again at once, as by a service manager."""
        self.run("sh", "-c", "kill -KILL $(cat /var/run/docker.pid)")

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Freeze it for a while, with all that runs on it (with cgroup v2: its own processes only)."""
        _checked(["docker", "pause", self.name])
        try:
            yield
        finally:
            _checked(["docker", "unpause", self.name])

    @contextmanager
    def ssh_cut(self, *, silent: bool) -> Iterator[None]:
        """Let nothing of ssh through for a while: dropped in silence, as by a pulled cable, or else refused."""
        verdict = ["DROP"] if silent else ["REJECT", "--reject-with", "tcp-reset"]
        rule = ["INPUT", "--protocol", "tcp", "--dport", "22", "--jump", *verdict]
        self.run("iptables", "--wait", "--insert", *rule)
        try:
            yield
        finally:
            self.run("iptables", "--wait", "--delete", *rule)

    @contextmanager
    def ssh_limited(self, seconds: int) -> Iterator[None]:
        """Let its sshd have one login at a time, and refuse the sixth new connection within so many seconds.

        The rules are those of `ufw limit`, whose seconds are 30.
        """
        new = ["INPUT", "--protocol", "tcp", "--dport", "22", "--match", "conntrack", "--ctstate", "NEW"]
        recent = [*new, "--match", "recent", "--name", "limited"]
        refuse = ["--update", "--seconds", str(seconds), "--hitcount", "6", "--jump", "REJECT"]
        rules = [[*recent, *refuse], [*recent, "--set"]]  # each is put before the ones that are there
        for rule in rules:
            self.run("iptables", "--wait", "--insert", *rule)
        self._sshd("echo MaxStartups 1 > /etc/ssh/sshd_config.d/limited.conf")
        try:
            yield
        finally:
            self._sshd("rm /etc/ssh/sshd_config.d/limited.conf")
            for rule in rules:
                self.run("iptables", "--wait", "--delete", *rule)

    def _sshd(self, change: str) -> None:
        """Change the configuration of its sshd, which reads it again; connections stay."""
        self.run("sh", "-c", f"{change} && kill -HUP $(cat /run/sshd.pid)")

    def clear(self) -> None:
        """Bring it up if it is down, and remove whatever a test may have left on it; images stay.

        Its engine starts anew: one that has left a Swarm may find no service's name in the next one, for good.
        """
        self.boot()
        self.run("sh", "-c", _EMPTY)
        self.reboot()

    def remove_images(self) -> None:
        """Remove every image that it holds."""
        for image in self.engine.images.list():
            self.engine.images.remove(str(image.id), force=True)

    def inventory(self) -> dict[str, set[str]]:
        """Return the names of its containers, networks and volumes."""
        api: Any = self.engine.api
        return {
            "containers": {each["Names"][0] for each in api.containers(all=True)},
            "networks": {each["Name"] for each in api.networks()},
            "volumes": {each["Name"] for each in api.volumes()["Volumes"] or ()},
        }


def _checked(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command} ended with {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout.strip()
