"""Which wheels an image needs, decided for its own Python and not for the one that asks."""

from pathlib import Path

import pytest

from images import tags, wheels
from images.tags import Image
from images.wheels import Target
from toolchain import process

MARKERS = {
    "implementation_name": "cpython",
    "implementation_version": "3.11.2",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.2",
    "python_version": "3.11",
    "sys_platform": "linux",
}
LOCK = """\
aiohttp==3.1 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via litellm
async-timeout==5.0.1 ; python_full_version < '3.11.3' \\
    --hash=sha256:cc
    # via aiohttp
colorama==0.4 ; sys_platform == 'win32' \\
    --hash=sha256:dd
polars==1.0 \\
    --hash=sha256:ee
# the end
"""


def test_markers_are_answered_for_the_images_python() -> None:
    assert Target(MARKERS, 36).applicable(LOCK, {"polars"}).splitlines() == [
        "aiohttp==3.1 \\",
        "    --hash=sha256:aa \\",
        "    --hash=sha256:bb",
        "async-timeout==5.0.1 \\",
        "    --hash=sha256:cc",
    ]


def test_a_newer_python_needs_other_packages() -> None:
    newer = Target({**MARKERS, "python_full_version": "3.11.7"}, 36).applicable(LOCK)
    assert "async-timeout" not in newer
    assert "polars==1.0" in newer


@pytest.mark.parametrize(
    ("glibc", "machine", "fits", "does_not"),
    [
        (
            36,
            "x86_64",
            ["manylinux_2_36_x86_64", "manylinux_2_17_x86_64", "manylinux1_x86_64"],
            ["manylinux_2_37_x86_64"],
        ),
        (28, "aarch64", ["manylinux_2_28_aarch64", "manylinux2014_aarch64"], ["manylinux_2_34_aarch64"]),
        (12, "x86_64", ["manylinux2010_x86_64"], ["manylinux2014_x86_64"]),
    ],
)
def test_platforms_end_at_the_images_c_library(glibc: int, machine: str, fits: list[str], does_not: list[str]) -> None:
    options = Target({**MARKERS, "platform_machine": machine}, glibc).options()
    assert {f"--platform={name}" for name in fits} <= set(options)
    assert not {f"--platform={name}" for name in does_not} & set(options)
    assert "--abi=cp311" in options
    assert "--python-version=3.11" in options


@pytest.fixture
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace pip by something that writes two wheels; the list holds what it was asked for."""
    asked: list[str] = []

    def pip(command: list[str], *_: object) -> None:
        values = dict(word.split("=", 1) for word in command if word.startswith("--") and "=" in word)
        asked.append(Path(values["--requirement"]).read_text())
        for name in ("aiohttp-3.1-py3-none-any.whl", "pip-26.0-py3-none-any.whl"):
            (Path(values["--dest"]) / name).write_text(name)

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(process, "run", pip)
    monkeypatch.setattr(wheels, "target", lambda _: Target(MARKERS, 36))
    monkeypatch.setattr(tags, "ROOT", tmp_path)
    monkeypatch.setattr(tags, "INSTALLER", tmp_path / "installer.txt")
    (tmp_path / "installer.txt").write_text("pip==26.0 \\\n    --hash=sha256:ff\n")
    (tmp_path / "images/demo").mkdir(parents=True)
    (tmp_path / "images/demo/requirements.txt").write_text(LOCK)
    (tmp_path / "images/demo/left-out.txt").write_text("# not used here\npolars  # large\n")
    return asked


def fetched(tmp_path: Path, name: str) -> Path:
    context = tmp_path / name
    context.mkdir()
    wheels.fetch(Image("demo", "python"), context, lambda _: None)
    return context


def test_a_context_gets_wheels_installer_and_the_applicable_lock(tmp_path: Path, downloads: list[str]) -> None:
    context = fetched(tmp_path, "context")
    assert [path.name for path in (context / "wheels").iterdir()] == ["aiohttp-3.1-py3-none-any.whl"]
    assert (context / "installer.whl").is_file()
    assert "polars" not in (context / "requirements.txt").read_text()
    assert "pip==26.0" not in (context / "requirements.txt").read_text()
    assert "pip==26.0" in downloads[0]


def test_wheels_are_downloaded_once_per_lock(tmp_path: Path, downloads: list[str]) -> None:
    fetched(tmp_path, "first")
    fetched(tmp_path, "second")
    assert len(downloads) == 1
    (tmp_path / "images/demo/left-out.txt").unlink()
    fetched(tmp_path, "third")
    assert len(downloads) == 2
    assert len(list((tmp_path / "cache/friday-litellm/wheels").iterdir())) == 1
