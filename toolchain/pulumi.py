"""The Pulumi CLI and its Python language host."""

import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

from toolchain import download, files, go, paths, process, versions

# The CLI comes last: when it exists, the others do too.
TOOLS = ("pulumi-language-python-exec", "pulumi-resource-pulumi-python", "pulumi-language-python", "pulumi")
_VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"


class PulumiCli:
    """The step that fills the cache's bin: with an installed Pulumi, else the official release, else a build."""

    name = "pulumi"
    why = f"deploys the stacks (CLI {versions.PULUMI} and Python language host)"

    def is_done(self) -> bool:
        """Return whether every tool is there. A file's folder names its version; the version of a link is checked."""
        cli = paths.tools_bin() / "pulumi"
        if not all(os.access(paths.tools_bin() / tool, os.X_OK) for tool in TOOLS):
            return False
        return not cli.is_symlink() or version_of(cli) == versions.PULUMI

    def run(self, report: Callable[[str], None]) -> None:
        """Install the tools. Raises SetupError when none of the three ways works."""
        if _link_installed(report):
            return
        try:
            _download(report)
        except download.DownloadError as error:
            report(f"no official release ({error}); building Pulumi instead")
            _build(report)


def version_of(cli: Path) -> str | None:
    """Return the version of a Pulumi CLI, None when it does not run."""
    printed = process.read(
        [cli, "version"], {"PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_HOME": str(paths.pulumi_home())}
    )
    return printed.removeprefix("v") if printed else None


def _link_installed(report: Callable[[str], None]) -> bool:
    on_path = shutil.which("pulumi")
    if not on_path:
        return False
    folder = Path(on_path).resolve().parent
    complete = all(os.access(folder / tool, os.X_OK) for tool in TOOLS)
    if not complete or version_of(folder / "pulumi") != versions.PULUMI:
        return False
    report(f"using Pulumi {versions.PULUMI} of {folder}")
    with files.scratch(paths.tools_bin()) as scratch:
        for tool in TOOLS:
            (scratch / tool).symlink_to(folder / tool)
            (scratch / tool).replace(paths.tools_bin() / tool)
    return True


def _download(report: Callable[[str], None]) -> None:
    with files.scratch(paths.tools_bin()) as folder:
        archive = download.fetch(download.pulumi_release(), folder, report)
        try:
            with tarfile.open(archive) as tar:
                for tool in TOOLS:
                    tar.extract(f"pulumi/{tool}", folder, filter="data")
        except (KeyError, tarfile.TarError, OSError) as error:
            raise download.DownloadError(f"{archive.name} cannot be used: {error}") from error
        for tool in TOOLS:
            files.publish(folder / "pulumi" / tool, paths.tools_bin() / tool)


def _build(report: Callable[[str], None]) -> None:
    _copy_scripts(report)
    host = "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python"
    target = paths.tools_bin() / "pulumi-language-python"
    go.build("language-python", host, target, f"-X {_VERSION_VARIABLE}={versions.LANGUAGE_HOST_SDK}", report)
    cli = paths.tools_bin() / "pulumi"
    go.build(
        "pulumi", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", cli, f"-X {_VERSION_VARIABLE}={versions.PULUMI}", report
    )


def _copy_scripts(report: Callable[[str], None]) -> None:
    """Copy the two scripts that the language host starts; they are beside the SDK's sources."""
    sdk = go.module_folder("pulumi", "github.com/pulumi/pulumi/sdk/v3", report) / "python"
    with files.scratch(paths.tools_bin()) as folder:
        for source in (sdk / "cmd" / "pulumi-language-python-exec", sdk / "dist" / "pulumi-resource-pulumi-python"):
            copy = Path(shutil.copyfile(source, folder / source.name))
            files.publish(copy, paths.tools_bin() / source.name)
