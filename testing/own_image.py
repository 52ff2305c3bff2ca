"""Friday as a team would bring it: an image of its own, for the user and with the command that it chose."""

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from testing.nested_host import NestedHost
from testing.project import Project

_DOCKERFILE = """
FROM {friday}
USER root
RUN useradd node
LABEL made-for={tag}
ENTRYPOINT {command}
"""
SERVES = ["python3", "-m", "friday.service"]
ENDS_AT_ONCE = ["sh", "-c", "echo the database schema is too old >&2; exit 3"]


@contextmanager
def own_image(project: Project, hosts: Sequence[NestedHost], tag: str, command: list[str]) -> Iterator[None]:
    """Set Friday to an image of the team's own, built on the first host and copied to the others."""
    friday = project.images()["friday"]
    dockerfile = _DOCKERFILE.format(friday=friday, tag=tag, command=json.dumps(command)).encode()
    name = f"friday-of-the-team:{tag}"
    first, *others = hosts
    first.engine.images.build(fileobj=io.BytesIO(dockerfile), tag=name, rm=True)
    for host in others:
        host.engine.images.load(b"".join(first.engine.images.get(name).save(named=True)))
    with project.configured(friday={**project.settings["friday"], "image": name, "probeClient": "python"}):
        yield
