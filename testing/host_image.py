"""The image of a test host: built from its files once, with the project's own image builder, and kept."""

from images import build, tags
from images.tags import Image
from toolchain.runner import Report

IMAGE = Image("test-host", "base", deployed=False, place="testing")


def ensure(report: Report) -> str:
    """Return the tag of the image, building it where it is missing; ImageError or SetupError when that fails."""
    build.ensure(report, [IMAGE])
    return tags.reference(IMAGE)
