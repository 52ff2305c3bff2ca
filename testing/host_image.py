"""The images of test hosts, one for each Debian suite: built once, with the project's own image builder, and kept."""

from images import build, tags
from images.tags import Image
from testing.engines import Engine
from toolchain.runner import Report


def image(engine: Engine) -> Image:
    """Return the image of a host with an engine, as the builder takes it."""
    return Image("test-host", "base", deployed=False, place="testing", suite=engine.suite)


def ensure(engine: Engine, report: Report) -> str:
    """Return the tag of the image, building it where it is missing; ImageError or SetupError when that fails."""
    wanted = image(engine)
    build.ensure(report, [wanted])
    return tags.reference(wanted)
