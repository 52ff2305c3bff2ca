"""`images sbom` of the images that are really built: valid, repeatable, and what the locks and Debian put there."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from images import docker_cli, tags
from toolchain import lock
from toolchain.paths import ROOT

pytestmark = [pytest.mark.engine, pytest.mark.beside]

PARTS = tuple(tags.local_images())


def written(folder: Path) -> dict[str, str]:
    command = ["./fridayctl", "images", "sbom", "-o", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return {path.name.removesuffix(".cdx.json"): path.read_text() for path in folder.glob("*.cdx.json")}


@pytest.fixture(scope="module")
def bills(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return written(tmp_path_factory.mktemp("bills"))


def packages(document: Any, kind: str) -> dict[str, str]:
    components = document["components"]
    return {each["name"]: each["version"] for each in components if each["purl"].startswith(f"pkg:{kind}/")}


def test_each_part_has_a_valid_one_that_names_its_image(bills: dict[str, str]) -> None:
    assert set(bills) == set(PARTS)
    for part, text in bills.items():
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
        image = json.loads(text)["metadata"]["component"]
        reference = f"{image['name']}:{image['version']}"
        assert reference == tags.tag(part)
        assert f"sha256:{image['hashes'][0]['content']}" == docker_cli.inspect(reference)["Id"]


def test_it_is_the_same_again(bills: dict[str, str], tmp_path: Path) -> None:
    assert written(tmp_path) == bills


@pytest.mark.parametrize("part", [image.name for image in tags.IMAGES if image.deployed and image.lock])
def test_the_python_packages_are_those_of_the_lock(bills: dict[str, str], part: str) -> None:
    locked = {_plain(name): version for name, version in lock.pinned(ROOT / f"images/{part}/requirements.txt").items()}
    found = {_plain(name): version for name, version in packages(json.loads(bills[part]), "pypi").items()}
    assert found.items() <= locked.items()
    assert len(found) > 5


def test_debians_packages_are_those_that_dpkg_lists(bills: dict[str, str]) -> None:
    shown = "${db:Status-Status}\\t${Package}\\t${Version}\\n"
    for part in ("edge", "prometheus"):
        listed = docker_cli.output_of(tags.tag(part), ["dpkg-query", "-W", "-f", shown])
        rows = [line.split("\t") for line in listed.splitlines()]
        installed = {name: version for status, name, version in rows if status == "installed"}
        assert packages(json.loads(bills[part]), "deb") == installed


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
