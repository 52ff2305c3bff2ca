"""A stack's outputs, read in a local state or asked of Pulumi; Pulumi's command line, and how it refuses."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi import automation as auto

from ops.errors import EXIT_USAGE, OperationError
from ops.stacks import workspace
from ops.stacks.workspace import open_workspace, spare_ssh
from toolchain import paths

PASSPHRASE = "error: getting stack configuration: get stack secrets manager: incorrect passphrase"
ASKED: auto.OutputMap = {"asked": auto.OutputValue(value="pulumi", secret=False)}
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}


def stack(**outputs: Any) -> dict[str, Any]:
    resources = [
        {"urn": "urn:1", "type": "docker:index/network:Network"},
        {"urn": "urn:2", "type": "pulumi:pulumi:Stack", "outputs": outputs},
    ]
    return {"version": 3, "checkpoint": {"latest": {"resources": resources}}}


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return where set-up puts Pulumi's command line, which says its version; nothing else is on this machine."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = paths.tools_bin() / "pulumi"
    path.parent.mkdir(parents=True)
    play(path, "exit 1")
    workspace._command.cache_clear()
    yield path
    workspace._command.cache_clear()


def play(command: Path, otherwise: str) -> None:
    command.write_text(f"#!/bin/sh\nif [ $1 = version ]; then echo v3.259.0; exit; fi\n{otherwise}\n")
    command.chmod(0o755)


@pytest.fixture
def state(command: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the state of the stack `t` is looked for; Pulumi itself answers `ASKED`."""
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    monkeypatch.setattr(auto.LocalWorkspace, "stack_outputs", lambda *_: ASKED)
    folder = tmp_path / ".pulumi" / "stacks" / "friday-litellm"
    folder.mkdir(parents=True)
    return folder / "t.json"


def test_they_are_read_in_a_local_state(state: Path) -> None:
    state.write_text(json.dumps(stack(fridayUrl="http://friday", instances={"edge": ["edge-1"]})))
    found = open_workspace().stack_outputs("t")
    assert {name: (each.value, each.secret) for name, each in found.items()} == {
        "fridayUrl": ("http://friday", False),
        "instances": ({"edge": ["edge-1"]}, False),
    }


@pytest.mark.parametrize(
    "text", ['{"version": 3, "checkpoint": {"latest": null}}', '{"version": 3, "checkpoint": {"latest": {}}}']
)
def test_a_stack_that_has_never_been_updated_has_none(state: Path, text: str) -> None:
    state.write_text(text)
    assert open_workspace().stack_outputs("t") == {}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(stack(url="http://friday", key=SECRET)),
        json.dumps(stack(deep=[{"key": SECRET}])),
        json.dumps(stack(url="http://friday"))[:-30],
        "",
        "{}",
        '{"version": 3, "checkpoint": {"latest": {"resources": 7}}}',
        json.dumps({**stack(url="http://friday"), "version": 4}),
    ],
    ids=["a secret", "a secret inside", "cut short", "empty", "no state", "another form", "a newer version"],
)
def test_pulumi_is_asked_for_what_is_encrypted_or_not_understood(state: Path, text: str) -> None:
    state.write_text(text)
    assert open_workspace().stack_outputs("t") is ASKED


def test_pulumi_is_asked_when_the_state_is_not_local(state: Path) -> None:
    assert open_workspace().stack_outputs("t") is ASKED


def test_the_command_line_is_the_pinned_one_and_made_once(command: Path) -> None:
    made = open_workspace().pulumi_command
    assert (made.command, str(made.version)) == (str(command), "3.259.0")
    assert open_workspace().pulumi_command is made


@pytest.mark.parametrize("script", [None, "#!/bin/sh\nexit 1\n", "#!/bin/sh\necho v1.0.0\n", "#!/bin/sh\necho no\n"])
def test_without_a_pulumi_that_runs_set_up_is_the_fix(script: str | None, command: Path) -> None:
    if script:
        command.write_text(script)
    else:
        command.unlink()
    with pytest.raises(OperationError, match="pulumi is not set up") as caught:
        open_workspace()
    assert (caught.value.exit_code, caught.value.fix) == (EXIT_USAGE, "./fridayctl setup")


@pytest.mark.parametrize(
    ("said", "kind"), [(PASSPHRASE, OperationError), ("error: unable to open state directory", auto.CommandError)]
)
def test_every_command_reports_a_wrong_passphrase(said: str, kind: type[Exception], command: Path) -> None:
    play(command, f"echo '{said}' >&2; exit 255")
    with pytest.raises(kind):
        open_workspace().get_all_config("t")


def test_a_state_that_pulumi_cannot_read_is_named_with_the_fix(command: Path, state: Path) -> None:
    play(command, "echo 'error: failed to load checkpoint: unsupported checkpoint version 9' >&2; exit 255")
    state.write_text('{"version": 9, "checkpoint": {"latest": {}}}')
    with pytest.raises(OperationError, match=f"the state of t cannot be read: {state}") as caught:
        open_workspace().export_stack("t")
    assert caught.value.exit_code == EXIT_USAGE
    assert "newer Pulumi" in caught.value.fix
    assert "unsupported checkpoint version 9" in caught.value.details


@pytest.mark.parametrize(
    ("address", "chosen", "given"),
    [
        ("ssh://h.example", "", {"KEPT": "1", "PULUMI_PARALLEL": "3"}),
        ("ssh://h.example", "8", {"KEPT": "1"}),
        ("unix:///var/run/docker.sock", "", {"KEPT": "1"}),
    ],
)
def test_over_ssh_few_changes_are_made_at_once_unless_the_user_says_how_many(
    address: str, chosen: str, given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_PARALLEL", chosen)
    opened: Any = SimpleNamespace(workspace=SimpleNamespace(env_vars={"KEPT": "1"}))
    assert spare_ssh(opened, address) is opened
    assert opened.workspace.env_vars == given
