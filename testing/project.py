"""A copy of the checkout with a stack of its own: other names, ports and state than a developer's."""

import json
import os
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import httpx
import yaml
from docker.models.containers import Container
from docker.models.networks import Network
from docker.models.volumes import Volume

from testing.ports import free_ports
from toolchain import checkout

ROOT = Path(__file__).resolve().parents[1]
_TLS = httpx.create_ssl_context()
"""Made once: that takes thirty times as long as a question."""
USERS = [0, 1, 9, 10, 42, 49, 50, 77, 99, 107, 1042]


@dataclass(frozen=True)
class Ran:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass(frozen=True)
class Answer:
    """What Friday answered: HTTP status, path and model of its headers, the body."""

    status: int
    path: str
    model: str
    text: str


class Project:
    """A checkout that may be changed freely, and the stack `t<random>` in it."""

    def __init__(self, root: Path, stack: str) -> None:
        self.root = root
        self.stack = stack
        self.engine = docker.from_env()
        self.address = "127.0.0.1"  # where the stack's host is

    @classmethod
    def create(cls, folder: Path, source: Path = ROOT) -> "Project":
        """Copy the files that git knows or would know, as a clone has them, to `checkout` in a folder.

        Those of another checkout, with its environment, where `source` names one.
        """
        root = folder / "checkout"
        checkout.copy_to(root, source)
        (root / ".venv").symlink_to(source.resolve() / ".venv")
        made = cls(root, f"t{uuid.uuid4().hex[:6]}")
        made.configure(_settings(source))
        return made

    @property
    def file(self) -> Path:
        """The stack's settings."""
        return self.root / f"Pulumi.{self.stack}.yaml"

    @property
    def settings(self) -> dict[str, Any]:
        """The stack's settings by their names without namespace."""
        config = yaml.safe_load(self.file.read_text())["config"]
        return {key.removeprefix("friday-litellm:"): value for key, value in config.items()}

    @property
    def url(self) -> str:
        """Where users reach Friday."""
        return f"http://{self.address}:{self.settings['edge']['port']}"

    @property
    def gateway_url(self) -> str:
        """Where callers with the gateway key reach LiteLLM."""
        return f"http://127.0.0.1:{self.settings['edge']['gatewayPort']}"

    @property
    def simulator_url(self) -> str:
        """Where the simulator's operators work."""
        return f"http://127.0.0.1:{self.settings['simulator']['port']}"

    @property
    def alerts_url(self) -> str:
        """Where Alertmanager answers."""
        return f"http://127.0.0.1:{self.settings['monitoring']['alerts']['port']}"

    @property
    def prometheus_url(self) -> str:
        """Where the stack's metrics are read."""
        return f"http://127.0.0.1:{self.settings['monitoring']['port']}"

    def configure(self, changes: dict[str, Any]) -> None:
        """Change settings in the stack file, keeping the rest of it."""
        document = yaml.safe_load(self.file.read_text()) if self.file.exists() else {}
        config = document.setdefault("config", {})
        config |= {f"friday-litellm:{key}": value for key, value in changes.items()}
        self.file.write_text(yaml.safe_dump(document))

    @contextmanager
    def configured(self, **changes: Any) -> Iterator[None]:
        """Change settings in the stack file for a while; deploying them is the test's own business."""
        before = self.file.read_text()
        self.configure(changes)
        try:
            yield
        finally:
            self.file.write_text(before)

    def fridayctl(self, *arguments: str, code: int = 0, seconds: float = 300) -> Ran:
        """Run ./fridayctl in the copy and check its exit code."""
        return self._run(["./fridayctl", *arguments], code, seconds)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start ./fridayctl in the copy, for a test that meets it on its way; it leads a process group of its own."""
        command = ["./fridayctl", *arguments]
        return subprocess.Popen(
            command,
            cwd=self.root,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def pulumi(self, *arguments: str, code: int = 0, seconds: float = 300) -> Ran:
        """Run plain pulumi as a user does after `eval "$(./fridayctl env)"`."""
        script = 'eval "$(./fridayctl env)" && exec pulumi "$@"'
        return self._run(["sh", "-c", script, "sh", *arguments], code, seconds)

    def secret(self, name: str) -> str:
        """Return a generated secret of the local stack, such as gatewayKey."""
        return str(json.loads((self.root / ".state" / "secrets.json").read_text())[name])

    def change_secrets(self, *names: str) -> dict[str, str]:
        """Give secrets new values as a user does, here on the command line; return them by their names."""
        changed = {name: f"sk-changed-{name}-{uuid.uuid4().hex}" for name in names}
        self.give_secrets(changed)
        return changed

    def give_secrets(self, values: Mapping[str, str]) -> None:
        """Encrypt values into the stack file by their paths, such as notify.slack.url."""
        for path, value in values.items():
            self.pulumi("config", "set", "--secret", "--path", path, value, "-s", self.stack)

    def _run(self, command: list[str], code: int, seconds: float) -> Ran:
        done = subprocess.run(
            command,
            cwd=self.root,
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        ran = Ran(done.returncode, done.stdout, done.stderr)
        assert ran.code == code, f"{command} ended with {ran.code}:\n{ran.out}\n{ran.err}"
        return ran

    def everything(self) -> list[Container]:
        """Return all containers with the stack's label."""
        return list(self.engine.containers.list(all=True, filters=self._label()))

    def networks(self) -> list[Network]:
        """Return all networks with the stack's label."""
        return list(self.engine.networks.list(filters=self._label()))

    def volumes(self) -> list[Volume]:
        """Return all volumes with the stack's label."""
        return list(self.engine.volumes.list(filters=self._label()))

    def _label(self) -> dict[str, str | list[str] | bool]:
        return {"label": f"friday-litellm.stack={self.stack}"}

    def python(self, script: str) -> str:
        """Run a Python script with the copy's own modules and return what it prints."""
        return self._run([str(self.root / ".venv/bin/python"), "-c", script], 0, 60).out

    def images(self) -> dict[str, str]:
        """Return the tags that the copy's own files lead to, by part."""
        script = "import json; from images.tags import local_images; print(json.dumps(local_images()))"
        found: dict[str, str] = json.loads(self.python(script))
        return found

    def chat(self, user_id: int, **fields: Any) -> Answer:
        """Ask Friday as a user."""
        return ask(self.url, user_id, **fields)

    def containers(self, part: str = "") -> list[Container]:
        """Return the replicas of one part or of all, stopped ones too; not the containers that only hold files."""
        labels = [f"friday-litellm.stack={self.stack}", "friday-litellm.replica"]
        if part:
            labels.append(f"friday-litellm.part={part}")
        return list(self.engine.containers.list(all=True, filters={"label": labels}))

    def python_in(self, part: str, script: str) -> str:
        """Run a Python script inside a container of a part and return what it prints."""
        name = str(self.containers(part)[0].name)
        return self._run(["docker", "exec", name, "python3", "-c", script], 0, 60).out

    def shell_in(self, container: Container, script: str) -> str:
        """Run a script by `sh` inside a container, as its user, and return what it prints."""
        return self._run(["docker", "exec", str(container.name), "sh", "-c", script], 0, 60).out

    def fault(self, *faults: dict[str, Any]) -> None:
        """Switch faults of the simulated models on (none: all off)."""
        httpx.put(f"{self.simulator_url}/admin/faults", json=list(faults), timeout=20).raise_for_status()

    @contextmanager
    def deployed(self) -> Iterator["Project"]:
        """Bring the stack up, and in the end remove all of it, also when it did not come up."""
        try:
            self.fridayctl("up", self.stack)
            yield self
        finally:
            self.remove()

    def remove(self) -> int:
        """Remove what the stack has on the engine; return how many things that were.

        Without Pulumi, whose `down` takes many times as long: it is tried where it is what a test is about.
        """
        containers, networks, volumes = self.everything(), self.networks(), self.volumes()
        for container in containers:
            container.remove(force=True, v=True)
        for network in networks:
            network.remove()
        for volume in volumes:
            volume.remove()
        return len(containers) + len(networks) + len(volumes)


def _environment() -> dict[str, str]:
    # The copy keeps its bytecode from one command to the next, as a checkout does.
    others = ("PULUMI_", "FRIDAY_", "PYTHONDONTWRITEBYTECODE")
    return {k: v for k, v in os.environ.items() if not k.startswith(others)}


def ask(url: str, user_id: int, **fields: Any) -> Answer:
    """Ask the Friday at `url` as a user."""
    body = {"user_id": user_id, "message": f"Hello from {user_id}", **fields}
    response = httpx.post(f"{url}/api/chat", json=body, timeout=40, verify=_TLS)
    headers = response.headers
    return Answer(
        response.status_code,
        headers.get("x-friday-path", ""),
        headers.get("x-friday-model", ""),
        response.text,
    )


def _settings(source: Path) -> dict[str, Any]:
    """The local stack's settings, with ports that are free here and limits that a test suite does not reach."""
    document = yaml.safe_load((source / "Pulumi.local.yaml").read_text())
    config = {key.removeprefix("friday-litellm:"): value for key, value in document["config"].items()}
    users, gateway, simulator, prometheus, alerts = free_ports(5)
    engine = os.environ.get("DOCKER_HOST")
    return {
        **config,
        **({"dockerHost": engine} if engine else {}),
        "rolloutPercentage": 50,
        "edge": {"port": users, "gatewayPort": gateway},
        "simulator": {"port": simulator, "latencyMs": 20},
        "monitoring": {"port": prometheus, "alerts": {"port": alerts}},
        "quota": {"requestsPerMinute": 60000, "requestsPerDay": 1000000},
    }
