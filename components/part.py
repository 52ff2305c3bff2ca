"""Part: the base of every component that is one workload on one engine."""

from pathlib import Path

import pulumi

from components.container_engine import Engine, Parts
from components.workload import File, Workload

ROOT = Path(__file__).resolve().parent.parent


class Part(pulumi.ComponentResource):
    """A ComponentResource around one Workload; `instances` are the names of its replicas, made `after` other parts."""

    def __init__(
        self, workload: Workload, engine: Engine, opts: pulumi.ResourceOptions | None = None, after: Parts = ()
    ) -> None:
        kind = type(self).__name__
        super().__init__(f"friday-litellm:components:{kind}", workload.part, None, opts)
        self.workload = workload
        self.instances = engine.deploy(workload, self, after)
        self.register_outputs({"instances": self.instances})


def package_files(*packages: str) -> dict[str, File]:
    """Return the modules of Python packages of this project as files for a container."""
    modules = [path for package in packages for path in sorted((ROOT / package).glob("*.py"))]
    names = [path.relative_to(ROOT).as_posix() for path in modules]
    return {name: File((ROOT / name).read_text(encoding="utf-8"), source=name) for name in names}


def secret_file(value: str) -> File:
    """Return a file that holds one secret."""
    return File(value + "\n", secret=True)
