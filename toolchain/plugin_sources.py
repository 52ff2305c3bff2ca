"""What our build of the Docker plugin is made of: the Terraform provider without a part that no stack can use.

Two files of the provider import Buildx's driver for Kubernetes, for nothing but the driver's own registration. It alone
brings Kubernetes' client: a fifth of all packages, and a quarter of the code.
"""

import shutil
from pathlib import Path

from toolchain import files, go, paths
from toolchain.runner import Report

_MODULE = "docker-provider"
# Without it our build would carry all of Docker Compose, for a resource that it does not offer.
_TAGS = ("no_compose",)
_PROVIDER = "github.com/terraform-providers/terraform-provider-docker"
_LEFT_OUT = '_ "github.com/docker/buildx/driver/kubernetes"'


def command(report: Report, package: str = ".") -> go.Command:
    """Return how Go builds a package of the plugin, the plugin itself when none is named.

    Its go.mod takes the provider from a copy without what is left out, made once for each set of pins. Raises
    SetupError when the provider cannot be downloaded.
    """
    return go.Command(_MODULE, package, _TAGS, _module_file(report))


def _module_file(report: Report) -> Path:
    made = paths.toolchain_dir() / _MODULE
    if not made.is_dir():
        provider = go.module_folder(_MODULE, _PROVIDER, report)
        with files.scratch(made.parent) as scratch:
            new = scratch / _MODULE
            _copy(provider, new / "provider")
            for name in ("go.mod", "go.sum"):
                shutil.copyfile(paths.GO_SOURCES / _MODULE / name, new / name)
            go.replace_module(new / "go.mod", _PROVIDER, made / "provider", report)
            new.replace(made)
    return made / "go.mod"


def _copy(module: Path, target: Path) -> None:
    """Copy what a build needs of a module. The module's own files are read-only, and so would their copies be."""
    for path in (module / "go.mod", *sorted((module / "internal").rglob("*.go"))):
        copy = target / path.relative_to(module)
        copy.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        copy.write_text("".join(line for line in lines if line.strip() != _LEFT_OUT), encoding="utf-8")
