"""What goes into the operator image: the sources that name images, and the tools of this machine's cache."""

import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from images import ImageError, build, operator_tools, tags, wheels
from images.tags import OPERATOR
from images.wheels import Target
from toolchain import paths, pulumi


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give this machine tools as set-up makes them, one of them a link; its engine is of the same kind."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    plugin = paths.pulumi_home() / "plugins" / pulumi.PLUGIN / "pulumi-resource-docker"
    for path in (*(paths.tools_bin() / name for name in pulumi.TOOLS[1:]), plugin, tmp_path / "installed"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("program")
        path.chmod(0o700)
    (paths.tools_bin() / pulumi.TOOLS[0]).symlink_to(tmp_path / "installed")
    (plugin.parent / "PulumiPlugin.yaml").touch()
    (paths.pulumi_home() / "credentials.json").write_text("a login")
    engine_is(monkeypatch, platform.system(), platform.machine())


def engine_is(monkeypatch: pytest.MonkeyPatch, system: str, machine: str) -> None:
    found = Target({"platform_system": system, "platform_machine": machine}, 36)
    monkeypatch.setattr(wheels, "target", lambda _: found)


@pytest.mark.usefixtures("cache")
def test_the_tools_are_copied_for_everybody_and_no_login_is(tmp_path: Path) -> None:
    operator_tools.lay_out(tmp_path / "tools")
    (folder,) = (tmp_path / "tools/var/cache/friday-litellm").iterdir()
    assert folder.name == paths.pins_key()
    link = tmp_path / "tools/opt/friday-litellm/.toolchain"
    assert link.readlink() == Path("/var/cache/friday-litellm") / folder.name
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    plugin = f"pulumi-home/plugins/{pulumi.PLUGIN}"
    programs = {*(f"bin/{name}" for name in pulumi.TOOLS), f"{plugin}/pulumi-resource-docker"}
    assert set(files) == {*programs, f"{plugin}/PulumiPlugin.yaml"}
    assert {files[name].stat().st_mode & 0o777 for name in programs} == {0o755}
    assert not files[f"bin/{pulumi.TOOLS[0]}"].is_symlink()
    for home in (folder.parent, folder / "pulumi-home", folder / "pulumi-home" / "plugins"):
        assert home.stat().st_mode & 0o7777 == 0o1777


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(("system", "machine"), [("Linux", "riscv64"), ("Darwin", platform.machine())])
def test_tools_that_cannot_run_there_are_refused(
    system: str, machine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine_is(monkeypatch, system, machine)
    with pytest.raises(ImageError, match="build the operator image on a machine where both are the same"):
        operator_tools.lay_out(tmp_path / "tools")
    assert not (tmp_path / "tools").exists()


def test_names_of_images_and_tools_come_out_the_same_inside(tmp_path: Path) -> None:
    for tree in OPERATOR.sources:
        for path in tags.source_files(tags.ROOT / tree):
            target = tmp_path / path.relative_to(tags.ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
    script = "import images.tags as t, toolchain.paths as p, program; print(p.ROOT, p.pins_key(), t.local_images())"
    command = [sys.executable, "-P", "-c", script]
    done = subprocess.run(command, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == f"{tmp_path} {paths.pins_key()} {tags.local_images()}", done.stderr


def test_the_lock_of_the_commands_is_part_of_the_tag() -> None:
    assert OPERATOR.lock == paths.REQUIREMENTS / "runtime.txt"
    assert OPERATOR.lock in tags._inputs(OPERATOR)
    assert tags.ROOT / "program.py" in tags._inputs(OPERATOR)
    assert OPERATOR not in tags.IMAGES


def laid_out(folder: Path) -> None:
    """Lay tools out as with a umask of 077."""
    folder.mkdir(mode=0o700)
    (folder / "open").mkdir()
    (folder / "open").chmod(0o1777)
    for name, mode in (("program", 0o700), ("text", 0o600)):
        (folder / name).touch(mode)
    (folder / ".toolchain").symlink_to("/somewhere/else")


def test_the_context_gets_tools_and_the_build_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "fetch", lambda *_: None)
    monkeypatch.setattr(operator_tools, "lay_out", laid_out)
    with build._context(OPERATOR, lambda _: None) as context:
        modes = {path.name: path.stat().st_mode & 0o7777 for path in (context / "tools").iterdir() if path.is_file()}
        assert modes == {"program": 0o755, "text": 0o644}
        assert (context / "tools").stat().st_mode & 0o7777 == 0o755
        assert (context / "tools/open").stat().st_mode & 0o7777 == 0o1777
        assert {path.lstat().st_mtime for path in context.rglob("*")} == {tags.EPOCH}
        assert (context / "entry.sh").is_file()
        assert (context / "app" / "program.py").is_file()
        assert "--network=host" in build._command(OPERATOR, tags._BY_NAME[OPERATOR.parent], context)


def test_the_tools_lie_where_the_image_looks_for_them() -> None:
    recipe = (OPERATOR.folder / "Dockerfile").read_text(encoding="utf-8")
    cache, checkout = Path("/") / operator_tools._CACHE, Path("/") / operator_tools._CHECKOUT
    assert f"XDG_CACHE_HOME={cache.parent} " in recipe
    assert cache.name == paths.user_cache().name
    assert f"{checkout}/entry" in recipe
    assert f"python3 -m venv --without-pip {checkout / paths.VENV.name} " in recipe
