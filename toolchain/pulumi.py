"""The Pulumi CLI with its Python language host, and its Docker plugin in a PULUMI_HOME of the project's own."""

import os
import shutil
import tarfile
from functools import partial
from pathlib import Path

from toolchain import download, files, go, paths, plugin_sources, process, together, versions
from toolchain.runner import Report, Step
from toolchain.together import Job

# The CLI comes last: when it exists, the others do too.
TOOLS = ("pulumi-language-python-exec", "pulumi-resource-pulumi-python", "pulumi-language-python", "pulumi")
_HOST = go.Command("language-python", "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python")
_CLI = go.Command("pulumi", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi")
_VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
PLUGIN = f"resource-docker-v{versions.DOCKER_PROVIDER}"
"""The plugin's folder in `plugins` of Pulumi's home."""

_PLUGIN_BINARY = "pulumi-resource-docker"


def version_of(cli: Path) -> str | None:
    """Return the version of a Pulumi CLI, None when it does not run."""
    home = {"PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_HOME": str(paths.pulumi_home())}
    printed = process.read([cli, "version"], home)
    return printed.removeprefix("v") if printed else None


def _cli_is_done() -> bool:
    """Return whether every tool is there. A file's folder names its version; the version of a link is checked."""
    cli = paths.tools_bin() / "pulumi"
    if not all(os.access(paths.tools_bin() / tool, os.X_OK) for tool in TOOLS):
        return False
    return not cli.is_symlink() or version_of(cli) == versions.PULUMI


def _install_cli(report: Report) -> None:
    """Fill the cache's bin: with an installed Pulumi, else the official release, else a build."""
    if _link_installed(report):
        return
    try:
        _download(report)
    except download.DownloadError as error:
        report(f"no official release ({error}); building Pulumi instead")
        _build(report)


def _link_installed(report: Report) -> bool:
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


def _download(report: Report) -> None:
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


def _build(report: Report) -> None:
    """Build what the release has, one after the other: each uses what was compiled before it, and both cores.

    Meanwhile the modules of what comes next are downloaded, the Docker plugin's too: it is a release of the same host.
    """
    # The two scripts that the language host starts are beside the SDK's sources.
    sdk = go.module_folder("pulumi", "github.com/pulumi/pulumi/sdk/v3", report) / "python"
    with files.scratch(paths.tools_bin()) as folder:
        for source in (sdk / "cmd" / "pulumi-language-python-exec", sdk / "dist" / "pulumi-resource-pulumi-python"):
            copy = Path(shutil.copyfile(source, folder / source.name))
            files.publish(copy, paths.tools_bin() / source.name)
    host, cli = _HOST.package, _CLI.package
    jobs = {
        host: Job(partial(_build_tool, _HOST, versions.LANGUAGE_HOST_SDK, report)),
        "its modules": Job(partial(go.fetch, _CLI, report)),
        cli: Job(partial(_build_tool, _CLI, versions.PULUMI, report), (host, "its modules")),
    }
    if not _plugin_is_done() and not _plugin_of_the_user():
        jobs["the plugin's modules"] = Job(partial(_fetch_plugin, report))
    together.run(jobs, len(jobs))


def _build_tool(command: go.Command, version: str, report: Report) -> None:
    go.build(command, paths.tools_bin() / command.name, f"-X {_VERSION_VARIABLE}={version}", report)


def _fetch_plugin(report: Report) -> None:
    go.fetch(plugin_sources.command(report), report)


def _plugin_is_done() -> bool:
    """Return whether the plugin is installed completely; Pulumi marks one that it is unpacking as partial."""
    plugins = paths.pulumi_home() / "plugins"
    return os.access(plugins / PLUGIN / _PLUGIN_BINARY, os.X_OK) and not (plugins / f"{PLUGIN}.partial").exists()


def docker_plugin() -> str:
    """Return which Docker plugin this checkout uses: its version, and whose build it is where set-up has noted that."""
    try:
        origin = _plugin_origin().read_text(encoding="utf-8")
    except FileNotFoundError:
        origin = ""
    return f"{versions.DOCKER_PROVIDER} ({origin})" if origin else versions.DOCKER_PROVIDER


def _plugin_origin() -> Path:
    return paths.toolchain_dir() / "docker-plugin-origin"


def _install_plugin(report: Report) -> None:
    command = ["plugin", "install", "resource", "docker", versions.DOCKER_PROVIDER, "--reinstall", "--file"]
    with files.scratch(paths.toolchain_dir()) as folder:
        source, origin = _plugin_source(folder, report)
        _plugin_origin().write_text(origin, encoding="utf-8")
        process.run(
            [paths.tools_bin() / "pulumi", *command, source],
            "installing the Docker plugin",
            f"remove {paths.pulumi_home()} and run this again",
            env={"PULUMI_HOME": str(paths.pulumi_home()), "PULUMI_SKIP_UPDATE_CHECK": "true"},
        )


def _plugin_source(folder: Path, report: Report) -> tuple[Path, str]:
    """Return the user's own copy, else the official release, else a build; and which of them it is."""
    if installed := _plugin_of_the_user():
        report(f"copying the plugin of {installed.parent}")
        return installed, "of ~/.pulumi"
    try:
        return download.fetch(download.docker_provider_release(), folder, report), "official"
    except download.DownloadError as error:
        report(f"no official release ({error}); building the Docker plugin instead")
    target = folder / _PLUGIN_BINARY
    go.build(plugin_sources.command(report), target, f"-X main.version={versions.DOCKER_PROVIDER}", report)
    return target, "own build"


def _plugin_of_the_user() -> Path | None:
    installed = Path.home() / ".pulumi" / "plugins" / PLUGIN / _PLUGIN_BINARY
    return installed if os.access(installed, os.X_OK) else None


PULUMI_CLI = Step(
    "pulumi", f"deploys the stacks (CLI {versions.PULUMI} and Python language host)", _cli_is_done, _install_cli
)
DOCKER_PLUGIN = Step(
    "docker provider",
    f"lets Pulumi make containers (plugin docker {versions.DOCKER_PROVIDER})",
    _plugin_is_done,
    _install_plugin,
    (PULUMI_CLI.name,),
)
