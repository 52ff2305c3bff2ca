"""The project's own PULUMI_HOME, kept free of the debug log that Pulumi writes of every command."""

import shutil
from collections.abc import Callable
from pathlib import Path

from toolchain import paths
from toolchain.errors import unwritable


class PulumiHome:
    """The step that keeps Pulumi from logging: nobody reads it, and it takes a tenth of an update's processor time.

    Pulumi has no switch for it, but goes on without where the folder cannot be made (pkg/logging, `StartLogging`).
    """

    name = "pulumi home"
    why = "holds the plugin, and keeps Pulumi from a debug log of each command (up to 500 MB of them)"

    def is_done(self) -> bool:
        """Tell whether a file stands where the log folder would be."""
        return _logs().is_file()

    def run(self, report: Callable[[str], None]) -> None:
        """Put the file there, in place of the logs of earlier commands; SetupError when that cannot be."""
        try:
            if _logs().is_dir():
                shutil.rmtree(_logs())
            _logs().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _logs().touch(mode=0o600)
        except OSError as error:
            raise unwritable(paths.user_cache(), "XDG_CACHE_HOME", error) from error


def _logs() -> Path:
    return paths.pulumi_home() / "logs"
