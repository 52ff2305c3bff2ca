"""An image in the place of Grafana's, which no test can fetch: its user, its port, its health path and a `wget`."""

import shutil
import tempfile
from pathlib import Path

from docker import DockerClient

_PROGRAM = Path(__file__).with_name("grafana_stand_in.py")
# The probe's own words: wget -q -O /dev/null URL.
_WGET = "import sys, urllib.request; urllib.request.urlopen(sys.argv[-1])"
_DOCKERFILE = f"""
FROM {{parent}}
USER root
RUN printf '#!/bin/sh\\nexec python3 -c "{_WGET}" "$@"\\n' > /usr/bin/wget && chmod 755 /usr/bin/wget
COPY {_PROGRAM.name} /
USER 472:0
ENTRYPOINT ["python3", "/{_PROGRAM.name}"]
"""


def build(engine: DockerClient, parent: str, tag: str) -> None:
    """Build it on an image that has Python, under a tag."""
    with tempfile.TemporaryDirectory() as context:
        shutil.copy(_PROGRAM, context)
        (Path(context) / "Dockerfile").write_text(_DOCKERFILE.format(parent=parent))
        engine.images.build(path=context, tag=tag, rm=True)
