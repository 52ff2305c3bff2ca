"""For which registries this machine has a login: their names go on, never what was typed there."""

import base64
import json
from pathlib import Path

import pytest

from ops.hosts.registries import with_login

LOGIN = {"auth": base64.b64encode(b"team:harmless").decode()}
IMAGES = ["registry.example/friday@sha256:0", "localhost:5000/a:1", "other.example/b:1", "friday-litellm/edge:1", "c"]


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path / "config.json"


def test_only_registries_of_the_stack_with_a_login_here_are_named(config: Path) -> None:
    config.write_text(
        json.dumps({"auths": {"registry.example": LOGIN, "localhost:5000": LOGIN, "mine.example": LOGIN}})
    )
    assert with_login(IMAGES, pytest.fail) == ["localhost:5000", "registry.example"]


def test_a_machine_without_logins_has_none(config: Path) -> None:
    assert with_login(IMAGES, pytest.fail) == []
    config.write_text("{}")
    assert with_login(IMAGES, pytest.fail) == []


def test_nothing_is_read_for_images_that_are_built_here(config: Path) -> None:
    config.write_text("no JSON")
    assert with_login(["friday-litellm/edge:1"], pytest.fail) == []


def test_a_login_that_cannot_be_read_is_left_out_with_a_warning(config: Path) -> None:
    config.write_text(json.dumps({"credHelpers": {"registry.example": "not-installed"}}))
    told: list[str] = []
    with pytest.warns(UserWarning, match="not-installed"):  # the library's own
        assert with_login(IMAGES, told.append) == []
    (line,) = told
    assert line.startswith("registry.example: the login of this machine cannot be read (")
