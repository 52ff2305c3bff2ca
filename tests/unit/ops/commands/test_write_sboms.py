"""`images sbom`: which images it bills, what it writes, and what it says where it cannot."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from images import ImageError, build, docker_cli, sbom, tags
from images.contents import Contents, Package
from ops.commands import write_sboms
from ops.errors import EXIT_USAGE, OperationError

Out = pytest.CaptureFixture[str]
DIGEST = "sha256:" + "cd" * 32
CONTENTS = Contents("debian-13", (Package("debian", "bash", "5", "amd64"), Package("python", "httpx", "1")))


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The images that Docker has: those of all parts."""
    names = set(tags.local_images().values())
    monkeypatch.setattr(docker_cli, "exist", lambda *asked: names.issuperset(asked))
    monkeypatch.setattr(docker_cli, "inspect", lambda _: {"Id": DIGEST})
    monkeypatch.setattr(sbom, "bill_of", lambda image: sbom.bill(image.name, tags.reference(image), DIGEST, CONTENTS))
    return names


def test_all_parts_are_billed_and_written(tmp_path: Path, capsys: Out) -> None:
    assert main(["images", "sbom", "-o", str(tmp_path / "new" / "folder")]) == 0
    files = {path.name for path in (tmp_path / "new" / "folder").iterdir()}
    assert files == {*(f"{part}.cdx.json" for part in tags.local_images()), "SHA256SUMS"}
    said = capsys.readouterr().out
    assert "sha256:cdcdcdcdcdcd" in said


def test_one_file_has_the_sums_of_the_bills_as_sha256sum_reads_them(tmp_path: Path) -> None:
    assert main(["images", "sbom", "redis", "edge", "-o", str(tmp_path)]) == 0
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    ran = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["edge.cdx.json: OK", "redis.cdx.json: OK"]
    assert DIGEST.removeprefix("sha256:") in (tmp_path / "edge.cdx.json").read_text()
    (tmp_path / "edge.cdx.json").write_text("another")
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode == 1


def test_without_a_folder_nothing_is_written(tmp_path: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["images", "sbom", "edge"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["edge", "sha256:cdcdcdcdcdcd", "1", "1", "0"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("parts", [["edge"], ["edge", "redis"], []])
def test_one_document_for_one_part_and_a_list_for_several(parts: list[str], capsys: Out) -> None:
    assert main(["images", "sbom", *parts, "--json"]) == 0
    found: Any = json.loads(capsys.readouterr().out)
    documents = [found] if len(parts) == 1 else found
    assert {each["bomFormat"] for each in documents} == {"CycloneDX"}
    assert len(documents) == (len(parts) or len(tags.local_images()))


def test_what_is_no_part_is_refused_with_those_that_there_are(capsys: Out) -> None:
    assert main(["images", "sbom", "nginx"]) == EXIT_USAGE
    said = capsys.readouterr().err
    assert "nginx" in said
    assert "litellm" in said


@pytest.mark.parametrize(("part", "fix"), [("edge", "./fridayctl setup"), ("operator", "./fridayctl images operator")])
def test_an_image_that_is_not_built_is_said_before_any_is_read(part: str, fix: str, built: set[str]) -> None:
    built.discard(tags.tag("edge"))
    with pytest.raises(OperationError) as caught:
        list(write_sboms.bills(["redis", part]))
    assert caught.value.exit_code == EXIT_USAGE
    assert caught.value.fix.startswith(fix)


@pytest.mark.parametrize("error", [ImageError("docker export failed"), ValueError("it has no list")])
def test_an_image_that_cannot_be_read_is_named(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(sbom, "bill_of", fail)
    assert build.is_done([image for image in tags.IMAGES if image.name == "edge"])
    with pytest.raises(OperationError, match=f"edge: {error}") as caught:
        list(write_sboms.bills(["edge"]))
    assert caught.value.exit_code == 1


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, capsys: Out) -> None:
    (tmp_path / "file").write_text("")
    assert main(["images", "sbom", "edge", "-o", str(tmp_path / "file")]) == EXIT_USAGE
    said = capsys.readouterr().err
    assert f"{tmp_path / 'file'} cannot be written (" in said
    assert "fix: make room there" in said
