"""A bill of materials: valid by CycloneDX' own schema, and the same bytes for the same image."""

import json
import subprocess
from collections.abc import Sequence

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from images import ImageError, docker_cli, sbom, tags
from images.contents import Contents, Package
from tests.unit.images.test_contents import STATUS, archive

DIGEST = "sha256:" + "ab" * 32
CONTENTS = Contents(
    "debian-13",
    (
        Package("debian", "bash", "5.2.37-2+b5", "amd64", ("bash", "5.2.37-2")),
        Package("go", "example.org/a/tool", "v1.2.3", within="opt/bin/tool"),
        Package("go", "stdlib", "1.26.8", within="opt/bin/tool"),
        Package("python", "httpx", "0.28.1", licence="BSD-3-Clause"),
        Package("python", "tqdm", "4.70.1", licence="MPL-2.0 AND MIT"),
        Package("python", "odd", "1", licence="its own words"),
    ),
)


def made() -> str:
    return sbom.text(sbom.bill("edge", "friday-litellm/edge:trixie-0123456789ab", DIGEST, CONTENTS))


def test_it_is_valid_and_the_same_whenever_it_is_made() -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(made()) is None
    assert made() == made()


def test_it_names_the_image_by_digest_and_each_package_by_its_url() -> None:
    document = json.loads(made())
    image = document["metadata"]["component"]
    assert (image["type"], image["name"], image["version"]) == (
        "container",
        "friday-litellm/edge",
        "trixie-0123456789ab",
    )
    assert image["hashes"] == [{"alg": "SHA-256", "content": "ab" * 32}]
    assert document["metadata"]["timestamp"].startswith("2025-08-09T00:00:00")
    assert sorted(each["purl"] for each in document["components"]) == [
        "pkg:deb/debian/bash@5.2.37-2%2Bb5?arch=amd64&distro=debian-13&upstream=bash%405.2.37-2",
        "pkg:golang/example.org/a/tool@v1.2.3",
        "pkg:golang/stdlib@1.26.8",
        "pkg:pypi/httpx@0.28.1",
        "pkg:pypi/odd@1",
        "pkg:pypi/tqdm@4.70.1",
    ]
    (depends,) = [each for each in document["dependencies"] if each["ref"] == image["bom-ref"]]
    assert len(depends["dependsOn"]) == len(document["components"])
    bill = sbom.bill("edge", "friday-litellm/edge:x", DIGEST, CONTENTS)
    assert sbom.counts(bill) == {"deb": 1, "pypi": 3, "golang": 2}


class Docker:
    """Plays the docker command: an archive is exported by a program that prints it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, export: Sequence[str]) -> None:
        self.asked: list[tuple[str, ...]] = []
        start = subprocess.Popen
        monkeypatch.setattr(docker_cli, "_checked", self._checked)
        monkeypatch.setattr(docker_cli, "_docker", lambda *arguments: self.asked.append(arguments))
        monkeypatch.setattr(subprocess, "Popen", lambda _, **options: start(export, **options))

    def _checked(self, *arguments: str) -> str:
        self.asked.append(arguments)
        return json.dumps({"Id": DIGEST}) if arguments[0] == "image" else "c0ffee"


def test_an_image_is_read_from_a_container_that_never_runs_and_is_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("exported") / "root.tar"
    file.write_bytes(archive({"var/lib/dpkg/status": STATUS.encode()}).getvalue())
    docker = Docker(monkeypatch, ["cat", str(file)])
    (edge,) = [image for image in tags.IMAGES if image.name == "edge"]
    assert sbom.counts(sbom.bill_of(edge)) == {"deb": 3, "pypi": 0, "golang": 0}
    assert [arguments[0] for arguments in docker.asked] == ["image", "create", "rm"]


def test_an_export_that_fails_is_said_and_its_container_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    docker = Docker(monkeypatch, ["false"])
    with pytest.raises(ImageError, match="docker export of some:image failed"), docker_cli.exported("some:image"):
        pass
    assert docker.asked[-1] == ("rm", "c0ffee")
