"""Part: what every part of a stack says about itself, and what it is declared from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from pydantic.alias_generators import to_snake

from components.free_models import OPENROUTER, SIMULATOR_HOST, simulator_url
from components.settings.base import PartSettings
from components.settings.stack import StackSettings
from components.workload import FILES_DIR, File, Workload

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Job:
    """One part that Prometheus scrapes.

    `host` is the name that resolves to all of its replicas, `bearer_file` the file in the container with the key
    that the part wants to see ("": none).
    """

    name: str
    host: str
    port: int
    path: str = "/metrics"
    bearer_file: str = ""


@dataclass(frozen=True)
class Given:
    """What a part is declared from.

    `images` are the local builds that stand in for images that the settings do not name; `jobs` is what Prometheus
    asks for metrics.
    """

    stack: str
    settings: StackSettings
    images: Mapping[str, str]
    jobs: tuple[Job, ...] = ()

    def image(self, part: str, settings: PartSettings) -> str:
        """Return a part's image: the one that its settings name, else the local build."""
        return settings.image or self.images[part]

    def host(self, name: str) -> str:
        """Return the name under which a part is found on the stack's networks."""
        return address(self.stack, self.settings.engine, name)

    def every_replica(self, name: str) -> str:
        """Return the name that resolves to every replica: a Swarm may give a part's own name one virtual address."""
        return f"tasks.{self.host(name)}" if self.settings.engine == "swarm" else name

    @property
    def upstream(self) -> str:
        """Return the base URL of OpenRouter, or of the simulator that stands in for it."""
        return simulator_url(self.host(SIMULATOR_HOST)) if self.settings.upstream == "simulator" else OPENROUTER

    @property
    def friday_key(self) -> SecretStr:
        """Return the key of the direct path."""
        return self.settings.friday_openrouter_api_key or self.settings.openrouter_api_key


def address(stack: str, engine: str, name: str) -> str:
    """Return the name under which a part is found on the stack's networks.

    A Swarm's services go by their own names, which all stacks of the Swarm share; containers have an alias.
    """
    return f"friday-{stack}-{name}" if engine == "swarm" else name


@dataclass(frozen=True)
class Part:
    """One part of a stack: all that the rest of the project knows of it.

    `name` is that of its containers, of its local image (the folder images/<name>) and for `./fridayctl logs`.
    `setting` is where the stack file has its image and memory limit. `joins` tells whether a stack has it, `metrics`
    how Prometheus asks it, if at all. It is made when the parts named in `after` are healthy.
    """

    name: str
    setting: str
    workload: Callable[[Given], Workload]
    joins: Callable[[StackSettings], bool] = lambda _: True
    metrics: Callable[[Given], Job | None] | None = None
    after: tuple[str, ...] = ()

    def settings_of(self, settings: StackSettings) -> PartSettings:
        """Return what a stack's settings say of this part."""
        found: object = settings
        for key in self.setting.split("."):
            found = getattr(found, to_snake(key))
        if not isinstance(found, PartSettings):
            raise TypeError(f"{self.setting} holds no settings of a part")
        return found


def package_files(*packages: str) -> dict[str, File]:
    """Return the modules of Python packages of this project as files for a container."""
    modules = [path for package in packages for path in sorted((ROOT / package).glob("*.py"))]
    names = [path.relative_to(ROOT).as_posix() for path in modules]
    return {name: File((ROOT / name).read_text(encoding="utf-8"), source=name) for name in names}


def secret_file(value: str) -> File:
    """Return a file that holds one secret."""
    return File(value + "\n", secret=True)


def secret_files(values: Mapping[str, str]) -> tuple[dict[str, File], dict[str, str]]:
    """Return a file for each secret variable, and the variables NAME_FILE that say where these files are."""
    files = {f"secrets/{name.lower()}": secret_file(value) for name, value in values.items()}
    return files, {f"{name}_FILE": f"{FILES_DIR}/secrets/{name.lower()}" for name in values}
