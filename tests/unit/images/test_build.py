"""The images that are built, their order, and how; Docker's answers are recorded ones."""

from pathlib import Path

import pytest

from images import ImageError, base, build, docker_cli, sealed, tags, wheels
from toolchain import process

MONITORING = ("redis-exporter", "prometheus", "alertmanager")


@pytest.fixture
def present(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    names: set[str] = set()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(docker_cli, "exist", lambda *asked: {tags.tag(name) for name in names}.issuperset(asked))
    monkeypatch.setattr(docker_cli, "size_mb", lambda _: 1.0)
    monkeypatch.setattr(docker_cli, "remove_dangling", lambda: None)
    monkeypatch.setattr(docker_cli, "has_buildkit", lambda: False)
    monkeypatch.setattr(sealed, "seal", lambda _: None)
    return names


@pytest.fixture
def made(present: set[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    order: list[str] = []

    def note(name: str) -> None:
        order.append(name)
        present.add(name)

    monkeypatch.setattr(base, "ensure", lambda *_: note("rootfs"))
    monkeypatch.setattr(build, "_build", lambda image, *_: note(image.name))
    return order


def test_everything_from_nothing_parents_first(made: list[str]) -> None:
    assert not build.is_done()
    build.ensure(lambda _: None)
    assert sorted(made) == sorted(["rootfs", "base", "python", *tags.local_images()])
    assert made.index("rootfs") < made.index("base") < made.index("python") < made.index("friday")
    assert made.index("base") < made.index("edge")
    assert build.is_done()


def test_only_what_is_missing(present: set[str], made: list[str]) -> None:
    present.update({"rootfs", "base", "python", "edge", "redis", *MONITORING, "simulator", "friday"})
    build.ensure(lambda _: None)
    assert made == ["litellm"]


def test_parents_are_not_missed_when_nobody_needs_them(present: set[str], made: list[str]) -> None:
    present.update(tags.local_images())
    build.ensure(lambda _: None)
    assert made == []


def test_only_the_parents_that_are_needed(present: set[str], made: list[str]) -> None:
    present.update({"rootfs", "base", "redis", *MONITORING, "simulator", "friday", "litellm"})
    build.ensure(lambda _: None)
    assert made == ["edge"]


def test_the_context_holds_sources_and_packages_but_no_tests(
    present: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    del present
    seen: dict[str, list[str]] = {}

    def look(command: list[str], *_: object, **__: object) -> None:
        context = Path(command[-1])
        times = {path.stat().st_mtime for path in (context, *context.rglob("*"))}
        assert times == {tags.EPOCH}
        assert {path.stat().st_mode & 0o777 for path in context.rglob("*")} == {0o755, 0o644}
        seen["files"] = [path.relative_to(context).as_posix() for path in context.rglob("*") if path.is_file()]
        seen["command"] = command

    monkeypatch.setattr(process, "run", look)
    monkeypatch.setattr(wheels, "fetch", lambda _, context, __: (context / "installer.whl").touch())
    build._build(tags._BY_NAME["friday"], tags._BY_NAME["python"], lambda _: None)
    assert {"Dockerfile", "installer.whl", "app/friday/__init__.py", "app/serving/drain.py"} <= set(seen["files"])
    assert not [name for name in seen["files"] if "__pycache__" in name or name.endswith(".pyc")]
    assert "--network=none" in seen["command"]
    assert f"--build-arg=PARENT={tags.tag('python')}" in seen["command"]
    assert not Path(seen["command"][-1]).exists()


def test_only_apt_gets_a_network() -> None:
    for image in tags.IMAGES[1:]:
        command = build._command(image, tags._BY_NAME[image.parent], Path("context"))
        assert (f"--network={'none' if image.lock else 'host'}") in command


def test_without_the_docker_command_no_image_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set-up looks for the images before it has made an engine."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not build.is_done()
    with pytest.raises(ImageError, match="the docker command is not installed"):
        docker_cli.retag("a", "b")
