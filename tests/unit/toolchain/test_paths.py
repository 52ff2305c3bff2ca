"""Where things are kept."""

import shutil
from pathlib import Path

import pytest

from toolchain import paths


def test_state_is_in_the_checkout_unless_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRIDAY_STATE_DIR")
    assert paths.state_dir() == paths.ROOT / ".state"
    monkeypatch.chdir("/")
    monkeypatch.setenv("FRIDAY_STATE_DIR", "elsewhere")
    assert paths.state_dir() == Path("/elsewhere")


def test_cache_follows_xdg_but_ignores_a_relative_one(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert paths.user_cache() == user / "cache" / "friday-litellm"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert paths.user_cache() == user / ".cache" / "friday-litellm"


def test_pulumi_home_is_never_the_users(user: Path) -> None:
    assert (user / ".pulumi") not in [paths.pulumi_home(), *paths.pulumi_home().parents]


@pytest.mark.parametrize(
    ("file", "changes_key"),
    [("docker-provider/main.go", True), ("pulumi/go.sum", True), ("docker-provider/a.orig", False)],
)
def test_key_follows_what_is_built_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, changes_key: bool
) -> None:
    sources = tmp_path / "go"
    shutil.copytree(paths.GO_SOURCES, sources)
    monkeypatch.setattr(paths, "GO_SOURCES", sources)
    key = paths.pins_key.__wrapped__
    before = key()
    with (sources / file).open("a", encoding="utf-8") as changed:
        changed.write("\n// changed\n")
    assert (key() != before) is changes_key
