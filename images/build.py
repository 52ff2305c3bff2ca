"""Builds the local images that are missing, parents first."""

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from images import base, docker_cli, operator_tools, sealed, tags, wheels
from images.tags import IMAGES, ROOT, Image
from toolchain import files, paths, process, together
from toolchain.runner import Report

# Packages are downloaded and unpacked by one process an image: more than a few wait for each other.
_AT_ONCE = 3
DEPLOYED = tuple(image for image in IMAGES if image.deployed)


def is_done(wanted: Sequence[Image] = DEPLOYED) -> bool:
    """Return whether Docker has some images in the version of this checkout, by default all that stacks deploy."""
    return not wanted or docker_cli.exist(*map(tags.reference, wanted))


def ensure(report: Report, wanted: Sequence[Image] = DEPLOYED) -> None:
    """Build every image that is missing, side by side, and report each.

    Images of earlier versions stay: a rollback needs them.

    Raises ImageError or SetupError when one cannot be built, with the last lines of the failed command.
    """
    if not _missing(wanted):
        return
    busy = "waiting for another build of this user"
    with files.exclusive(paths.user_cache() / "images.lock", lambda: report(busy)):
        jobs = {
            tags.reference(image): together.Job(
                partial(_make, image, report), [tags.reference(parent)] if parent else ()
            )
            for image in _missing(wanted)  # which another build may have made by now
            for parent in [tags.parent_of(image)]
        }
        try:
            together.run(jobs, _AT_ONCE)
        finally:
            # Not before, and with the lock: a build beside may still copy from its own.
            docker_cli.remove_dangling()


def _make(image: Image, report: Report) -> None:
    reference, parent = tags.reference(image), tags.parent_of(image)
    started = time.monotonic()
    report(f"image {image.name}: building")
    if parent:
        _build(image, parent, report)
    else:
        base.ensure(image, report)
    seconds = time.monotonic() - started
    report(f"image {reference}: ready after {seconds:.0f} s, {docker_cli.size_mb(reference):.0f} MB")


def _missing(wanted: Sequence[Image]) -> list[Image]:
    """Return the images to build, in order: absent ones, and their parents where these are absent too."""
    absent: list[Image] = []
    for image in wanted:
        chain: list[Image] = []
        link: Image | None = image
        while link and link not in absent and not docker_cli.exist(tags.reference(link)):
            chain.insert(0, link)
            link = tags.parent_of(link)
        absent += chain
    return absent


def _build(image: Image, parent: Image, report: Report) -> None:
    with _context(image, report) as context:
        process.run(
            _command(image, parent, context),
            f"building the image {image.name}",
            "read the builder's lines above",
            env={"DOCKER_BUILDKIT": "1" if docker_cli.has_buildkit() else "0"},
        )
    sealed.seal(image)


def _command(image: Image, parent: Image, context: Path) -> list[str]:
    reference = tags.reference(image)
    labels = {
        "friday-litellm.part": image.name,
        "org.opencontainers.image.title": f"friday-litellm {image.name}",
        "org.opencontainers.image.version": reference.rsplit(":", 1)[1],
        "org.opencontainers.image.base.name": tags.reference(parent),
    }
    return [
        *("docker", "build", "--pull=false", "--force-rm"),
        f"--tag={reference}",
        f"--build-arg=PARENT={tags.reference(parent)}",
        f"--build-arg=SOURCE_DATE_EPOCH={tags.EPOCH}",
        *(f"--label={key}={value}" for key, value in labels.items()),
        # Only apt needs a network; Python packages are in the context already.
        f"--network={'none' if image.lock and not image.tools else 'host'}",
        str(context),
    ]


@contextmanager
def _context(image: Image, report: Report) -> Iterator[Path]:
    """Lay out a build context: the image's folder, its wheels and its source trees, nothing else."""
    with tempfile.TemporaryDirectory(prefix=f"friday-image-{image.name}-") as name:
        context = Path(name)
        for path in tags.source_files(image.folder):
            _copy(path, context / path.relative_to(image.folder))
        for tree in image.sources:
            for path in tags.source_files(ROOT / tree):
                _copy(path, context / "app" / path.relative_to(ROOT))
        if image.lock:
            wheels.fetch(image, context, report)
        if image.tools:
            operator_tools.lay_out(context / "tools")
        _settle(context)
        yield context


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def _settle(context: Path) -> None:
    """Give files and folders the times and modes that they have in every checkout, whatever its umask was.

    A folder with the sticky bit is one that everybody may write to.
    """
    for path in (context, *context.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            shared = 0o1777 if mode & stat.S_ISVTX else 0o755
            path.chmod(shared if path.is_dir() else 0o755 if mode & stat.S_IXUSR else 0o644)
        os.utime(path, (tags.EPOCH, tags.EPOCH), follow_symlinks=False)
