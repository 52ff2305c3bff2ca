"""Python packages of an image, downloaded outside the build: hash-checked wheels for the image's own Python."""

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker

from images import docker_cli, tags
from images.tags import Image
from toolchain import paths, process
from toolchain.runner import Report

# The facts that decide which wheels fit, and the variables of a lock's markers.
_PROBE = """
import json, os, platform, sys
print(json.dumps({
    "glibc": platform.libc_ver()[1],
    "implementation_name": sys.implementation.name,
    "implementation_version": platform.python_version(),
    "os_name": os.name,
    "platform_machine": platform.machine(),
    "platform_python_implementation": platform.python_implementation(),
    "platform_system": platform.system(),
    "python_full_version": platform.python_version(),
    "python_version": ".".join(platform.python_version_tuple()[:2]),
    "sys_platform": sys.platform,
}))
"""
_OLDEST_GLIBC_MINOR = 5
_LEGACY = {"manylinux2014": 17, "manylinux2010": 12, "manylinux1": 5}


@dataclass(frozen=True)
class Target:
    """The Python of an image: `markers` are its environment markers, `glibc_minor` is its C library's minor version."""

    markers: Mapping[str, str]
    glibc_minor: int

    def options(self) -> list[str]:
        """Return pip's options that select wheels for it, whatever Python pip itself runs on."""
        machine, version = self.markers["platform_machine"], self.markers["python_version"]
        platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(self.glibc_minor, _OLDEST_GLIBC_MINOR - 1, -1)]
        platforms += [f"{name}_{machine}" for name, minor in _LEGACY.items() if minor <= self.glibc_minor]
        platforms.append(f"linux_{machine}")
        return [
            *("--implementation=cp", f"--python-version={version}"),
            *(f"--abi={abi}" for abi in (f"cp{version.replace('.', '')}", "abi3", "none")),
            *(f"--platform={name}" for name in platforms),
        ]

    def applicable(self, lock: str, left_out: Collection[str] = ()) -> str:
        """Return the part of a lock that this Python installs, without markers and without the packages in `left_out`.

        pip evaluates markers for the Python that it runs on itself, whatever target its options name.
        """
        kept: list[str] = []
        keep = True
        for line in lock.splitlines():
            if line and not line.startswith((" ", "#")):
                requirement, _, marker = line.removesuffix("\\").strip().partition(" ; ")
                wanted = requirement.split("==")[0] not in left_out
                keep = wanted and (not marker or Marker(marker).evaluate({**self.markers}))
                line = f"{requirement} \\"  # noqa: PLW2901 - the marker has been evaluated
            if keep and not line.lstrip().startswith("#"):
                kept.append(line)
        return "\n".join(kept) + "\n"


def target(image: Image) -> Target:
    """Return the Python that an image gets from its parent, which must exist."""
    parent = tags.parent_of(image)
    assert parent is not None  # noqa: S101 - a root file system has no packages
    found: dict[str, str] = json.loads(docker_cli.output_of(tags.reference(parent), ["python3", "-c", _PROBE]))
    return Target(found, int(found.pop("glibc").split(".")[1]))


def fetch(image: Image, context: Path, report: Report) -> None:
    """Put an image's packages into a build context: wheels/, installer.whl and requirements.txt.

    The wheels are kept in the user's cache, one folder a lock. Raises SetupError with pip's message when a wheel is
    missing or has another hash.
    """
    lock, image_python = (image.lock or image.folder).read_text(), target(image)
    listing = image.folder / "left-out.txt"
    lines = listing.read_text().splitlines() if listing.is_file() else []
    wanted = image_python.applicable(lock, {line.split("#", 1)[0].strip() for line in lines})
    with_installer = wanted + image_python.applicable(tags.INSTALLER.read_text())
    shutil.copytree(_cached(image.name, with_installer, image_python, report), context / "wheels")
    (installer,) = (context / "wheels").glob("pip-*.whl")
    installer.rename(context / "installer.whl")
    (context / "requirements.txt").write_text(wanted)


def _cached(name: str, wanted: str, image_python: Target, report: Report) -> Path:
    key = hashlib.sha256("\n".join([wanted, *image_python.options()]).encode()).hexdigest()[:12]
    folder = paths.user_cache() / "wheels" / f"{name}-{key}"
    if not folder.is_dir():
        report(f"image {name}: downloading its Python packages (hash-checked, kept in the cache)")
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        _download(partial, wanted, image_python)
        partial.rename(folder)
        for other in folder.parent.glob(f"{name}-*"):
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
    return folder


def _download(folder: Path, wanted: str, image_python: Target) -> None:
    folder.mkdir(parents=True)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as lock:
        lock.write(wanted)
        lock.flush()
        process.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
                *("--require-hashes", "--only-binary=:all:", "--no-deps"),
                f"--dest={folder}",
                f"--requirement={lock.name}",
                *image_python.options(),
            ],
            "downloading an image's Python packages",
            "PyPI must be reachable (PIP_INDEX_URL, HTTPS_PROXY, PIP_CERT)",
        )
