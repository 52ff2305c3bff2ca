"""Pulumi's Docker plugin, in a PULUMI_HOME of the project's own."""

import os
from collections.abc import Callable
from pathlib import Path

from toolchain import download, files, go, paths, process, versions

_PLUGIN = f"resource-docker-v{versions.DOCKER_PROVIDER}"
_BINARY = "pulumi-resource-docker"


class DockerProvider:
    """The step that installs the plugin: the user's own copy, else the official release, else a build."""

    name = "docker provider"
    why = f"lets Pulumi make containers (plugin docker {versions.DOCKER_PROVIDER})"

    def is_done(self) -> bool:
        """Return whether the plugin is installed completely; Pulumi marks one that it is unpacking as partial."""
        plugins = paths.pulumi_home() / "plugins"
        return os.access(plugins / _PLUGIN / _BINARY, os.X_OK) and not (plugins / f"{_PLUGIN}.partial").exists()

    def run(self, report: Callable[[str], None]) -> None:
        """Install the plugin. Raises SetupError when no way works."""
        with files.scratch(paths.toolchain_dir()) as folder:
            _install(_source(folder, report))


def _source(folder: Path, report: Callable[[str], None]) -> Path:
    installed = Path.home() / ".pulumi" / "plugins" / _PLUGIN / _BINARY
    if os.access(installed, os.X_OK):
        report(f"copying the plugin of {installed.parent}")
        return installed
    try:
        return download.fetch(download.docker_provider_release(), folder, report)
    except download.DownloadError as error:
        report(f"no official release ({error}); building the Docker plugin instead")
    target = folder / _BINARY
    go.build("docker-provider", ".", target, f"-X main.version={versions.DOCKER_PROVIDER}", report)
    return target


def _install(source: Path) -> None:
    command = ["plugin", "install", "resource", "docker", versions.DOCKER_PROVIDER, "--reinstall", "--file"]
    process.run(
        [paths.tools_bin() / "pulumi", *command, source],
        "installing the Docker plugin",
        f"remove {paths.pulumi_home()} and run this again",
        env={"PULUMI_HOME": str(paths.pulumi_home()), "PULUMI_SKIP_UPDATE_CHECK": "true"},
    )
