"""A stack's outputs, read in the state at hand or asked of Pulumi."""

import json
from pathlib import Path
from typing import Any

import pytest
from pulumi import automation as auto

from ops.stacks.workspace import open_workspace

ASKED: auto.OutputMap = {"asked": auto.OutputValue(value="pulumi", secret=False)}
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}


def stack(**outputs: Any) -> dict[str, Any]:
    resources = [{"type": "docker:index/network:Network"}, {"type": "pulumi:pulumi:Stack", "outputs": outputs}]
    return {"checkpoint": {"latest": {"resources": resources}}}


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the state of the stack `t` is looked for; Pulumi itself answers `ASKED`."""
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    monkeypatch.setattr(auto.LocalWorkspace, "stack_outputs", lambda *_: ASKED)
    folder = tmp_path / ".pulumi" / "stacks" / "friday-litellm"
    folder.mkdir(parents=True)
    return folder / "t.json"


def test_they_are_read_in_the_state_at_hand(state: Path) -> None:
    state.write_text(json.dumps(stack(fridayUrl="http://friday", instances={"edge": ["edge-1"]})))
    found = open_workspace().stack_outputs("t")
    assert {name: (each.value, each.secret) for name, each in found.items()} == {
        "fridayUrl": ("http://friday", False),
        "instances": ({"edge": ["edge-1"]}, False),
    }


@pytest.mark.parametrize("text", ['{"checkpoint": {"latest": null}}', '{"checkpoint": {"latest": {}}}'])
def test_a_stack_that_has_never_been_updated_has_none(state: Path, text: str) -> None:
    state.write_text(text)
    assert open_workspace().stack_outputs("t") == {}


@pytest.mark.parametrize(
    "text",
    [json.dumps(stack(url="http://friday", key=SECRET)), json.dumps(stack(deep=[{"key": SECRET}])), '{"checkp', "{}"],
    ids=["a secret", "a secret inside", "cut short", "no state"],
)
def test_pulumi_is_asked_for_what_is_encrypted_or_no_state(state: Path, text: str) -> None:
    state.write_text(text)
    assert open_workspace().stack_outputs("t") is ASKED


def test_pulumi_is_asked_when_no_state_is_at_hand(state: Path) -> None:
    assert open_workspace().stack_outputs("t") is ASKED
