"""The operator image as a team's CI runs it: Docker alone, a folder with the stack files, a key and known hosts."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from testing.nested_host import NestedHost
from testing.project import Project

# A number that no user of the image has; only root can hand files over to it.
_USER = 23456 if os.geteuid() == 0 else os.getuid()


class OperatorImage:
    """Runs commands for one stack in the image."""

    def __init__(self, project: Project, keys: str, tag: str) -> None:
        self._project = project
        self._keys = keys
        self.tag = tag

    def run(self, *command: str, code: int = 0) -> dict[str, Any]:
        """Run a command that prints JSON, check its exit code, and return what it printed."""
        line = [
            *("docker", "run", "--rm", "--network=host", "--hostname=operator"),
            f"--user={_USER}:{_USER}",
            f"--volume={self._project.root}:/stacks",
            f"--volume={self._keys}:ro",
            self.tag,
            *command,
        ]
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == code, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        document: dict[str, Any] = json.loads(done.stdout)
        return document


@contextmanager
def operator_image(project: Project, host: NestedHost, folder: Path) -> Iterator[OperatorImage]:
    """Build the image of a project, and lend the project and the host's key to the user that it runs as."""
    tag = project.fridayctl("images", "operator", seconds=600).out.strip()
    key, known_hosts = (Path(host.ssh_settings[name]) for name in ("identityFile", "knownHostsFile"))
    for source in (key, known_hosts):
        shutil.copy2(source, folder / source.name)
    _give(_USER, folder, project.root)
    try:
        yield OperatorImage(project, f"{folder}:{key.parent}", tag)
    finally:
        _give(os.getuid(), folder, project.root)


def _give(user: int, *folders: Path) -> None:
    subprocess.run(["chown", "-R", "-h", f"{user}:{user}", *folders], check=os.geteuid() == 0, capture_output=True)
