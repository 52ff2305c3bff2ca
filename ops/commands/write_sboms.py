"""The bills of materials of the images that this checkout builds."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from images import ImageError, build, docker_cli, sbom, tags
from images.tags import IMAGES, OPERATOR, Image
from ops.errors import EXIT_USAGE, OperationError, unwritable

_OF_STACKS = {image.name: image for image in IMAGES if image.deployed}
NAMES = (*_OF_STACKS, OPERATOR.name)
"""The images that have one: of each part, and the operator's."""


@dataclass(frozen=True)
class Bill:
    """One image's bill: its tag and digest, how many packages it has by kind, and the document as it is written."""

    part: str
    image: str
    digest: str
    packages: dict[str, int]
    text: str


def bills(parts: Sequence[str]) -> Iterator[Bill]:
    """Yield the bill of each image of `parts`, of all parts by default.

    OperationError (exit code 2) before the first one when an image is not built; 1 when one cannot be read.
    """
    wanted = [_image(name) for name in parts or _OF_STACKS]
    for image in wanted:
        if not build.is_done([image]):
            fix = "./fridayctl images operator" if image == OPERATOR else "./fridayctl setup"
            raise OperationError(f"{tags.reference(image)} is not built", f"{fix} builds it", EXIT_USAGE)
    for image in wanted:
        try:
            reference, made = tags.reference(image), sbom.bill_of(image)
            digest = str(docker_cli.inspect(reference)["Id"])
        except (ImageError, ValueError) as error:
            raise OperationError(f"{image.name}: {error}", "build it again: docker image rm, then setup") from error
        yield Bill(image.name, reference, digest, dict(sbom.counts(made)), sbom.text(made))


def write(folder: Path, bill: Bill) -> Path:
    """Write a bill to `<folder>/<part>.cdx.json` and return the path; OperationError (exit code 2) when it cannot."""
    return _written(folder / f"{bill.part}.cdx.json", bill.text)


def write_sums(bills: Sequence[Path]) -> Path:
    """Write SHA256SUMS beside bills, of each of them, and return its path; OperationError as `write`.

    One signature of it, by a key that the team has, is one of every bill and, because they name them, of every image.
    """
    lines = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(bills))
    return _written(bills[0].with_name("SHA256SUMS"), "".join(lines))


def _written(path: Path, text: str) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise unwritable(path.parent, error) from error
    return path


def _image(name: str) -> Image:
    return OPERATOR if name == OPERATOR.name else _OF_STACKS[name]
