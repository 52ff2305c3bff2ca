"""Builds the local images that are missing, parents first."""

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from images import base, docker_cli, operator_tools, tags, wheels
from images.tags import IMAGES, ROOT, Image
from toolchain import process
from toolchain.runner import Report

DEPLOYED = tuple(image for image in IMAGES if image.deployed)


def is_done() -> bool:
    """Return whether Docker has every image that a stack deploys, in the version of this checkout."""
    return docker_cli.exist(*tags.local_images().values())


def ensure(report: Report, wanted: Sequence[Image] = DEPLOYED) -> None:
    """Build every image that is missing, and report each. Images of earlier versions stay: a rollback needs them.

    Raises ImageError or SetupError when one cannot be built, with the last lines of the failed command.
    """
    for image in _missing(wanted):
        reference = tags.reference(image)
        started = time.monotonic()
        report(f"image {image.name}: building")
        parent = tags.parent_of(image)
        if parent:
            _build(image, parent, report)
        else:
            base.ensure(reference, image.suite, report)
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
        try:
            process.run(
                _command(image, parent, context),
                f"building the image {image.name}",
                "read the builder's lines above",
                env={"DOCKER_BUILDKIT": "1" if docker_cli.has_buildkit() else "0"},
            )
        finally:
            docker_cli.remove_dangling()


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
            shutil.copy2(path, context / path.name)
        for tree in image.sources:
            for path in tags.source_files(ROOT / tree):
                target = context / "app" / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target)
        if image.lock:
            wheels.fetch(image, context, report)
        if image.tools:
            operator_tools.lay_out(context / "tools")
        yield context
