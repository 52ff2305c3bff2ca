"""A gateway in a network of its own, whose only other host is the simulator: what it tries beyond is seen.

Inputs are made of LiteLLM's own lists. Their values are harmless: the address of a host that the test plays, the name
of a model that the simulator charges for, a number, a flag.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.models.containers import Container

from components.catalogue import default_models
from components.free_models import RouterTuning
from testing.meanwhile import until
from tests.integration.gateway_container import FILES, KEYS, ROOT, config_text, gateway, started
from tests.integration.locks.watch import FOREIGN

_HERE = Path(__file__).parent
_FOLDER = _HERE.relative_to(ROOT).as_posix()
_MODULES = _FOLDER.replace("/", ".")
_INPUTS = f"{FILES}/inputs.json"
PAID = "google/gemma-4-31b-it"
"""A model that the simulator charges for."""
ELSEWHERE = f"http://{FOREIGN[0]}:{FOREIGN[1]}"
FREE = {model.id for model in default_models()}
CHAT: dict[str, Any] = {"model": "gemma-4-31b", "messages": [{"role": "user", "content": "Hi"}]}
AUTHORIZATION = {"authorization": f"Bearer {KEYS['gateway_key']}"}


def values(name: str) -> dict[str, Any]:
    """Return what each field is tried with, by its kind."""
    foreign, paid = f"{ELSEWHERE}/{name}", f"openrouter/{PAID}"
    return {
        "address": foreign,
        "model": paid,
        "list": [PAID, paid],
        "map": {"api_base": foreign, "model": PAID, "models": [PAID], "max_price": {"prompt": 1, "completion": 1}},
        "number": 1,
        "flag": True,
    }


def in_turn(fields: Sequence[str]) -> dict[str, Any]:
    """Return one value for each field, of each kind in turn."""
    found = {}
    for number, name in enumerate(fields):
        kinds = list(values(name).values())
        found[name] = kinds[number % len(kinds)]
    return found


@dataclass(frozen=True)
class Names:
    """What the installed LiteLLM declares (names.py)."""

    version: str
    routes: list[str]
    fields: list[str]
    headers: list[str]


@dataclass(frozen=True)
class Tried:
    """What came of inputs: by their names, and what was tried beyond the upstream."""

    by_name: dict[str, Any]
    foreign: list[str]
    without_route: int
    bill: float
    models: dict[str, int]
    """Calls at the simulator by model."""
    requests: list[dict[str, Any]]
    """The simulator's record of its last requests."""

    def cost_nothing(self) -> None:
        """Check that only free models were asked, of the simulator alone, and that the bill is 0."""
        assert (self.foreign, self.without_route) == ([], 0)
        assert self.bill == 0
        assert self.models.keys() <= FREE
        assert {each["path"] for each in self.requests} <= {"/api/v1/chat/completions"}
        assert {each["account"] for each in self.requests} <= {"gateway"}


def litellm_names() -> Names:
    """Ask the image for what its LiteLLM declares."""
    command = ["python3", f"{FILES}/{_FOLDER}/names.py"]
    with started("litellm", command, {}, _files(), "none") as container:
        assert container.wait(timeout=120)["StatusCode"] == 0, container.logs()
        return Names(**json.loads(container.logs(stderr=False)))


class Closed:
    """The simulator in a network without a way out; gateways join it."""

    port = 8080

    def __init__(self, simulator: Container) -> None:
        self._simulator = simulator

    @property
    def _network(self) -> str:
        return f"container:{self._simulator.id}"

    @property
    def _config(self) -> str:
        # A model that failed is asked again: it is the inputs that are to be told apart.
        return config_text(self, RouterTuning(cooldown_seconds=1, allowed_fails=10))

    def answers(self) -> bool:
        """Return whether the simulator has begun to serve."""
        probe = "import socket; socket.create_connection(('127.0.0.1', 8080), 5)"
        return _ran(self._simulator, "python3", "-c", probe).returncode == 0

    def admin(self, method: str, path: str, body: object = None) -> Any:
        """Ask the simulator's operators' interface."""
        script = (
            "import sys, urllib.request as u; m, p, b = sys.argv[1:]; "
            "r = u.Request('http://127.0.0.1:8080/admin' + p, b.encode() or None, "
            "{'content-type': 'application/json'}, method=m); print(u.urlopen(r, timeout=20).read().decode())"
        )
        # A body that the server does not read would have it reset the connection, and cut a long answer.
        given = "" if body is None else json.dumps(body)
        return json.loads(_in(self._simulator, "python3", "-c", script, method, path, given))

    def over_http(self, inputs: Sequence[Mapping[str, Any]], *build: str) -> Tried:
        """Send inputs to the gateway, or to another `build` of it (its module and its words)."""
        with self._gateway(["python3", "-m", *(build or ("gateway.serve",))], inputs) as container:
            variables = dict(each.split("=", 1) for each in container.attrs["Config"]["Env"])
            asking = ("python3", "-m", f"{_MODULES}.asking", f"http://127.0.0.1:{variables['PORT']}", _INPUTS)
            return self._tried(_in(container, *asking))

    def inside(self, inputs: Mapping[str, Mapping[str, Any]], *locks: str, price: str = "0") -> Tried:
        """Give inputs to the router itself, with these locks (`unlocked.LOCKS`) and no others.

        `price` is what the simulator takes for a token of the models that are called free, in dollars.
        """
        command = ["python3", "-m", f"{_MODULES}.inside", *locks]
        with self._gateway(command, inputs, price) as container:
            ended = container.wait(timeout=800)["StatusCode"]
            assert ended == 0, container.logs().decode()
            return self._tried(container.logs(stderr=False).decode())

    @contextmanager
    def _gateway(self, command: Sequence[str], inputs: object, price: str = "0") -> Iterator[Container]:
        self.admin("POST", "/reset", {})
        for model in FREE & {each["id"] for each in self.admin("GET", "/models")}:
            self.admin("PATCH", "/models", {"id": model, "pricing": {"prompt": price}})
        with gateway(
            self,
            config=self._config,
            command=command,
            further={**_files(), "inputs.json": json.dumps(inputs)},
            network=self._network,
            wait=False,
            requests_per_minute=10**6,
        ) as running:
            yield running.container

    def _tried(self, printed: str) -> Tried:
        said = json.loads(printed.splitlines()[-1])
        seen, bill = self.admin("GET", "/requests?limit=5000"), self.admin("GET", "/bill")
        return Tried(**said, bill=bill["total_usd"], models=seen["by_model"], requests=seen["requests"])


@contextmanager
def closed() -> Iterator[Closed]:
    """Run a simulator alone in a network."""
    environment = {
        "SIMULATOR_API_KEYS": f"{KEYS['openrouter_api_key']} gateway",
        "SIMULATOR_RPM": str(10**6),
        "SIMULATOR_RPD": str(10**8),
    }
    with started("simulator", ["python3", "-m", "simulator"], environment, {}, "none") as simulator:
        made = Closed(simulator)
        until(made.answers, "the simulator's first answer", 30, every=0.2)
        yield made


def _files() -> dict[str, str]:
    return {f"{_FOLDER}/{path.name}": path.read_text(encoding="utf-8") for path in _HERE.glob("*.py")}


def _in(container: Container, *command: str) -> str:
    ran = _ran(container, *command)
    assert ran.returncode == 0, f"{command[0]} ended with {ran.returncode}: {ran.stdout[-2000:]}{ran.stderr[-2000:]}"
    return ran.stdout


def _ran(container: Container, *command: str) -> subprocess.CompletedProcess[str]:
    # The library may lose what comes at once: findings/docker-py-loses-output-that-comes-with-the-headers.sh.
    line = ["docker", "exec", str(container.name), *command]
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=800)
