"""Another image of the same content, for changes in which nothing but the image differs."""

from collections.abc import Iterator
from contextlib import contextmanager

from testing.project import Project


@contextmanager
def second_image(project: Project, image: str) -> Iterator[str]:
    """Give an image that differs in a label only."""
    made = project.engine.images.get(image)
    name = f"{image}-second"
    container = project.engine.containers.create(made)
    try:
        container.commit(repository=name.rpartition(":")[0], tag=name.rpartition(":")[2], changes='LABEL second="yes"')
    finally:
        container.remove()
    try:
        yield name
    finally:
        project.engine.images.remove(name, force=True)  # a stack that could not be measured still runs
