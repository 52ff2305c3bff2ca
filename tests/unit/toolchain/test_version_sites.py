"""A version is read and written where it stands, and nowhere else; the next one is of the same line."""

from pathlib import Path

import pytest

from toolchain import pins
from toolchain.errors import SetupError

TEXT = "# thing==1\nthing==1.2.3 \\\n    --hash=x\nthing-more==1.2.3\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "wanted.in"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_a_site_changes_its_version_and_nothing_else(file: Path) -> None:
    site = pins.requirement(file.name, "thing")
    assert site.read(file.parent) == "1.2.3"
    site.write(file.parent, "1.10")
    assert file.read_text(encoding="utf-8") == TEXT.replace("thing==1.2.3", "thing==1.10")


@pytest.mark.parametrize(("text", "times"), [("other==1", 0), ("thing==1\nthing==2", 2)])
def test_a_file_without_its_one_version_is_left_alone(file: Path, text: str, times: int) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SetupError, match=f"there {times} times") as refused:
        pins.requirement(file.name, "thing").write(file.parent, "3")
    assert file.read_text(encoding="utf-8") == text
    assert "git checkout -- wanted.in" in str(refused.value)


@pytest.mark.parametrize(
    ("served", "length", "expected"),
    [
        (["2.0", "1.3.0", "1.2.10", "1.2.9"], 2, "1.2.10"),
        (["2.0", "1.3.0", "1.2.10"], 1, "1.3.0"),
        (["2.0", "1.3.0", "1.2.10"], 0, "2.0"),
        (["1.2.2"], 2, "1.2.3"),
        ([], 2, "1.2.3"),
        ([], 0, "1.2.3"),
    ],
)
def test_the_newest_is_of_the_same_line_and_never_older(served: list[str], length: int, expected: str) -> None:
    assert pins.newest("1.2.3", served, length) == expected


def test_of_names_without_numbers_the_first_is_the_newest() -> None:
    assert pins.newest("bookworm", ["trixie"], 1) == "trixie"
    assert pins.newest("bookworm", [], 1) == "bookworm"


@pytest.mark.parametrize(
    ("served", "expected"),
    [
        (["2.0.0", "2.0.0-rc.1", "2.0.0-beta.25"], "2.0.0"),
        (["2.0.0-beta.100", "2.0.0-beta.24"], "2.0.0-beta.100"),
        (["2.0.0-beta.9", "2.0.0-alpha.99"], "2.0.0-beta.24"),
        (["3.0.0", "2.0.0-beta.25"], "2.0.0-beta.25"),
    ],
)
def test_a_pre_release_comes_before_its_release(served: list[str], expected: str) -> None:
    assert pins.newest("2.0.0-beta.24", served, 1) == expected
