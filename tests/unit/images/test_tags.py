"""Names of the local images follow what is in them, and nothing else."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from images import tags

EVERY = {"edge", "redis", "redis-exporter", "alertmanager", "prometheus", "litellm", "friday", "simulator"}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("images", "friday", "serving", "simulator"):
        shutil.copytree(tags.ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(tags, "ROOT", tmp_path)
    monkeypatch.setattr(tags, "INSTALLER", tmp_path / "images/installer.txt")
    return tmp_path


def test_every_deployed_part_has_a_reference() -> None:
    references = tags.local_images()
    assert set(references) == EVERY
    for name, reference in references.items():
        assert re.fullmatch(rf"friday-litellm/{name}:trixie-[0-9a-f]{{12}}", reference)
        assert tags.tag(name) == reference


def test_an_image_of_another_suite_has_parents_of_that_suite() -> None:
    image = tags.Image("edge", "base", suite="forky")
    link: tags.Image | None = image
    while link:
        assert link.suite == "forky"
        link = tags.parent_of(link)
    forky, trixie = tags.reference(image).rpartition(":")[2], tags.tag("edge").rpartition(":")[2]
    assert forky.partition("-")[0] == "forky"
    assert forky.partition("-")[2] != trixie.partition("-")[2]


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(KeyError):
        tags.tag("gateway")


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("images/base/root/etc/apt/apt.conf.d/90slim", EVERY),
        ("images/python/Dockerfile", {"litellm", "friday", "simulator"}),
        ("images/installer.txt", {"litellm", "friday", "simulator"}),
        ("images/edge/Dockerfile", {"edge"}),
        ("images/litellm/requirements.txt", {"litellm"}),
        ("images/litellm/left-out.txt", {"litellm"}),
        ("serving/drain.py", {"friday", "simulator"}),
        ("friday/__init__.py", {"friday"}),
        ("friday/tests/test_x.py", set()),
        ("friday/__pycache__/x.cpython-311.pyc", set()),
        ("images/litellm/requirements.in", set()),
        ("images/build.py", set()),
    ],
)
def test_a_change_renames_what_it_changes(checkout: Path, path: str, changed: set[str]) -> None:
    before = tags.local_images()
    target = checkout / path
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("a") as file:
        file.write("# changed\n")
    after = tags.local_images()
    assert {name for name in after if after[name] != before[name]} == changed


def test_a_renamed_source_file_counts(checkout: Path) -> None:
    before = tags.tag("friday")
    (checkout / "serving/drain.py").rename(checkout / "serving/draining.py")
    assert tags.tag("friday") != before


def test_naming_images_loads_no_third_party_package() -> None:
    program = (
        "import sys, images.tags; images.tags.local_images();"
        "print(sorted({'docker', 'pulumi', 'pydantic', 'packaging', 'toolchain'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], cwd=tags.ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
