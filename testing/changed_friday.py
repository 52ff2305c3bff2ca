"""A Friday that a developer changed: one file of a checkout, in an image that is removed afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager

import docker

from testing.project import Project


@contextmanager
def changed_friday(project: Project, how: str = "changed") -> Iterator[str]:
    """Change a file of a copy's Friday for a while and build it; give the image's tag."""
    code = project.root / "friday" / "service" / "__init__.py"
    before = code.read_text()
    code.write_text(f"{before}# {how}\n")
    try:
        project.fridayctl("setup")
        image = project.images()["friday"]
        try:
            yield image
        finally:
            docker.from_env().images.remove(image)
    finally:
        code.write_text(before)
