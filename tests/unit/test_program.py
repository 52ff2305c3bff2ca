"""The Pulumi program as a whole: where it finds its settings, and what it says of wrong ones."""

import json
from collections.abc import Iterator
from pathlib import Path

import pulumi
import pytest

import program
from components.settings.stack import SECRET_KEYS
from tests.unit.declared import CONTAINER, IMAGES, record

SETTINGS = {
    "friday-litellm:engine": "container",
    "friday-litellm:upstream": "simulator",
    "friday-litellm:rolloutPercentage": "30",
    "friday-litellm:friday": json.dumps({"environment": {"VITE_APP_ID": "a", "OWNER_OPEN_ID": "o"}}),
}


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give it secrets and images, as a set-up machine has them."""
    (tmp_path / "secrets.json").write_text(json.dumps({key: f"{key}-{'x' * 32}" for key in SECRET_KEYS}))
    monkeypatch.setenv("FRIDAY_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("PULUMI_CONFIG", raising=False)
    monkeypatch.setattr(program, "local_images", lambda: IMAGES)
    yield
    pulumi.runtime.set_all_config({})


@pytest.mark.parametrize("by", ["environment", "engine"])
def test_it_declares_what_the_settings_say_wherever_pulumi_puts_them(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if by == "environment":
        monkeypatch.setenv("PULUMI_CONFIG", json.dumps(SETTINGS))
    else:
        pulumi.runtime.set_all_config(SETTINGS)
    containers = record(program.program).of(CONTAINER)
    percentages = {
        variable
        for inputs in containers.values()
        for variable in inputs.get("envs", ())
        if variable.startswith("LITELLM_ROLLOUT_PERCENTAGE=")
    }
    assert percentages == {"LITELLM_ROLLOUT_PERCENTAGE=30"}


def test_a_wrong_setting_ends_it_with_the_mend() -> None:
    pulumi.runtime.set_all_config({**SETTINGS, "friday-litellm:rolloutPercentage": "101"})
    with pytest.raises(pulumi.RunError, match=r"rolloutPercentage: should be .*\n  fix: "):
        program.program()
