"""Names of the locally built images: a pure function of the files that go into them.

The Pulumi program and the builder both ask here, so a stack always deploys exactly what its checkout describes.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INSTALLER = ROOT / "images" / "installer.txt"

SUITE = "trixie"
"""The Debian release that the images stand on, whatever the machine runs that builds them."""

EPOCH = 1754697600
"""The time that everything gets which a build writes (seconds): 2025-08-09, the day of Debian 13."""

# Raise it when images/base.py makes a different root file system.
_ROOTFS_RECIPE = "rootfs 4"
_LEFT_OUT = {"__pycache__", "tests"}


@dataclass(frozen=True)
class Image:
    """One image: its parent's name ("" for the root file system) and the source trees and files copied into it.

    `place` is where its folder is, `suite` the Debian release that it and its parents stand on, `locked` its Python
    packages where they are not in that folder. With `tools` it gets the tools of this machine's cache, and packages of
    the distribution beside the Python ones.
    """

    name: str
    parent: str
    sources: tuple[str, ...] = ()
    deployed: bool = True
    place: str = "images"
    suite: str = SUITE
    locked: str = ""
    tools: bool = False

    @property
    def folder(self) -> Path:
        """The folder that holds its Dockerfile."""
        return ROOT / self.place / self.name

    @property
    def lock(self) -> Path | None:
        """Its hash-locked Python packages, when it has any."""
        path = ROOT / self.locked if self.locked else self.folder / "requirements.txt"
        return path if path.is_file() else None


def _parts() -> Iterator[Image]:
    """Yield the image of each part, for which there is a folder of its name.

    One with locked packages is a Python program; its source trees are copied in where its Dockerfile takes them.
    """
    for folder in sorted((ROOT / "images").iterdir()):
        if (folder / "Dockerfile").is_file() and folder.name not in {each.name for each in (*_BASES, OPERATOR)}:
            packaged = (folder / "requirements.txt").is_file()
            copied = "\nCOPY app " in (folder / "Dockerfile").read_text(encoding="utf-8")
            yield Image(folder.name, "python" if packaged else "base", (folder.name, "serving") if copied else ())


_BASES = (
    Image("rootfs", "", deployed=False),
    Image("base", "rootfs", deployed=False),
    Image("python", "base", deployed=False),
)
OPERATOR = Image(
    "operator",
    "python",
    (
        "cli",
        "components",
        "friday",
        "gateway",
        "images",
        "indicators",
        "ops",
        "program.py",
        "serving",
        "simulator",
        "toolchain",
    ),
    deployed=False,
    locked="requirements/runtime.txt",
    tools=True,
)
"""The commands themselves, for machines with Docker alone. It holds every file that makes the names of images."""
# In build order: a parent stands before its children.
IMAGES = (*_BASES, *_parts())
_BY_NAME = {image.name: image for image in IMAGES}


def local_images() -> dict[str, str]:
    """Return the tag of every image that a stack deploys, by the part's name."""
    return {image.name: reference(image) for image in IMAGES if image.deployed}


def tag(name: str) -> str:
    """Return `friday-litellm/<name>:<suite>-<12 hex>`; KeyError for a name that is none of ours."""
    return reference(_BY_NAME[name])


def parent_of(image: Image) -> Image | None:
    """Return the image that another one is built on, in that one's suite; None for a root file system."""
    return replace(_BY_NAME[image.parent], suite=image.suite) if image.parent else None


def reference(image: Image) -> str:
    """Return an image's tag, `friday-litellm/<name>:<suite>-<12 hex>`; its parent is one of ours."""
    return f"friday-litellm/{image.name}:{image.suite}-{_digest(image)}"


def _digest(image: Image) -> str:
    parent = parent_of(image)
    digest = hashlib.sha256((_digest(parent) if parent else f"{_ROOTFS_RECIPE} {image.suite} {EPOCH}").encode())
    for path in _inputs(image) if parent else ():
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(ROOT).as_posix()} {content}\n".encode())
    return digest.hexdigest()[:12]


def _inputs(image: Image) -> Iterator[Path]:
    yield from (path for path in source_files(image.folder) if path.suffix != ".in")
    if image.lock:
        yield INSTALLER
        if image.locked:
            yield image.lock
    for tree in image.sources:
        yield from source_files(ROOT / tree)


def source_files(tree: Path) -> list[Path]:
    """Return the files of a source tree (or the one file) that belong into an image, sorted: no tests, no bytecode."""
    if tree.is_file():
        return [tree]
    return sorted(
        path
        for path in tree.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and not _LEFT_OUT.intersection(path.relative_to(tree).parts)
    )
