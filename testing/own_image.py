"""Friday as a team would bring it: an image of its own, for the user and with the command that it chose."""

import io
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from docker import DockerClient

from testing.nested_host import NestedHost
from testing.project import Project

_DOCKERFILE = """
FROM {friday}
LABEL made-for={tag}
ENTRYPOINT {command}
"""
_DEAF = Path(__file__).with_name("deaf_friday.py")
_DEAF_DOCKERFILE = f"""
FROM {{friday}}
COPY {_DEAF.name} /
ENTRYPOINT ["python3", "/{_DEAF.name}"]
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


def build_deaf(engine: DockerClient, friday: str, tag: str) -> None:
    """Build the Friday that does not drain (deaf_friday.py), on the reference Friday's image, under a tag."""
    with tempfile.TemporaryDirectory() as context:
        shutil.copy(_DEAF, context)
        (Path(context) / "Dockerfile").write_text(_DEAF_DOCKERFILE.format(friday=friday))
        engine.images.build(path=context, tag=tag, rm=True)
